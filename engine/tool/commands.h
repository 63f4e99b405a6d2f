// The verbs of tandem-model. Each returns what to tell the user when it fails.
#ifndef TANDEM_ENGINE_TOOL_COMMANDS_H_
#define TANDEM_ENGINE_TOOL_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/quantize/quantizer.h"

namespace tandem::engine {

struct InspectOptions {
  std::string model;
  bool json = false;
  bool steps = false;               // also the plan's steps
  std::vector<std::string> shapes;  // NAME:1,3,224,224, for `steps`
};
absl::Status Inspect(const InspectOptions& options);

struct RunOptions {
  std::string model;
  std::string inputs;   // .npz, arrays by input name
  std::string outputs;  // .npz, arrays by output name
  int threads = 1;
};
absl::Status RunOnce(const RunOptions& options);

struct BenchOptions {
  std::string model;
  std::string variant = "fp32";
  std::string samples;  // .npz; empty: random inputs
  int threads = 1;
  int batch = 1;                    // for free first dimensions
  std::vector<std::string> shapes;  // NAME:1,3,48,320
  double seconds = 1;
  bool json = false;
  bool profile = false;  // time per step
};
absl::Status Bench(const BenchOptions& options);

struct EvaluateOptions {
  std::string model;
  std::vector<std::string> others;  // each is compared with `model`
  std::string samples;              // .npz
  std::string labels;               // .npy of classes; empty: none
  int threads = 1;
  bool json = false;  // lines that tell how far it is, then one that is an Evaluation of the admin service
};
absl::Status Evaluate(const EvaluateOptions& options);

struct QuantizeCommandOptions {
  std::string model;
  std::string samples;       // .npz
  std::string labels;        // .npy of classes; empty: none
  std::string out;           // the artifact's folder
  std::string times;         // folder of measured times by model; empty: in the cache folder, if there is one
  QuantizeOptions quantize;  // all but method, times, labels and progress
  // Several: each writes the folder of its name inside `out`, and one page compares them.
  std::vector<std::string> methods = {"integer"};
  bool json = false;
};
absl::Status QuantizeModel(const QuantizeCommandOptions& options);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_COMMANDS_H_
