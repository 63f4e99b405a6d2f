// The quantizer: a float model and samples -> a model in int8, judged.
//
//   ASSIGN(Graph graph, LoadQuantizable("model.onnx"));
//   ASSIGN(Quantized result, Quantize(graph, samples, options));
//   // result.graph is the QDQ graph to export, result.report says what it is worth.
//
// Deterministic for a seed and a book of times: nothing but the times that layers take depends on the machine, and
// those that choices rest on are taken from the book when it has them.
#ifndef TANDEM_ENGINE_QUANTIZE_QUANTIZER_H_
#define TANDEM_ENGINE_QUANTIZE_QUANTIZER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/graph.h"
#include "engine/model.h"
#include "engine/quantize/report.h"
#include "engine/quantize/samples.h"
#include "engine/quantize/time_book.h"

namespace tandem::engine {

enum class Metric {
  kAutomatic,  // by labels and by the form of the outputs
  kTop1,       // share of right answers; needs labels
  kAgreement,  // share of answers that stay the same
  kSqnr,       // signal to noise of the outputs
};

struct QuantizeOptions {
  std::string method = "integer";
  Metric metric = Metric::kAutomatic;
  std::optional<double> max_loss;  // of top1 (default 0.01) and agreement (default 0.05)
  double min_db = 20;              // of sqnr
  double confidence = 0.95;
  uint64_t seed = 1;
  int threads = 1;
  std::string cpu_level = "other";  // by oneDNN's name: "avx2", "avx512_core_vnni"
  bool speed_only = false;          // nothing is judged and nothing left in fp32 for its noise
  int64_t most_calibration = 512;   // samples, at most half of all
  int64_t most_judging = 4096;
  // Of this model on this CPU and so many threads; null: everything is measured. Outlives the call.
  TimeBook* times = nullptr;
  // The class of each sample; empty: not known.
  std::vector<int64_t> labels;
  // Told often: the stage (calibrate, ranges, repair, search, judge) and how much of it is done, from 0 to 1.
  std::function<void(absl::string_view stage, double done)> progress = [](absl::string_view, double) {};
};

// Whether such CPUs add products of 8 bits in pairs to 16 bits, which can saturate: x86 without VNNI.
bool SumsSaturate(absl::string_view cpu_level);

struct Quantized {
  std::optional<Graph> graph;  // absent: no layer could be quantized
  Report report;               // without hashes and sizes of files, which the caller knows
};

// The graph of the file at `path` as the engine optimizes it before it knows shapes, its inputs and outputs as the file
// declares them.
absl::StatusOr<Graph> LoadQuantizable(const std::string& path);

// Fails for samples that cannot be used; a model that is not worth or not fit for int8 is a verdict.
absl::StatusOr<Quantized> Quantize(const Graph& graph, Samples& samples, const QuantizeOptions& options);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_QUANTIZER_H_
