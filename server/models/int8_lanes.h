// Int8Lanes: brings the int8 siblings of published versions in line with what is on disk: a ready-made one is loaded,
// one that there are samples for is built. Belongs to the loader's thread.
//
// A version's lane starts when the version is published and starts over when the files or the settings it comes from
// change. What cannot be loaded is not tried again before that.
#ifndef TANDEM_SERVER_MODELS_INT8_LANES_H_
#define TANDEM_SERVER_MODELS_INT8_LANES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "config/model_config.h"
#include "server/models/lane.h"
#include "server/models/registry.h"
#include "server/models/repository.h"
#include "server/models/variant.h"
#include "server/quantization/artifacts.h"
#include "server/quantization/builder.h"

namespace tandem::models {

struct LaneStatus {
  std::string model;
  int64_t version = 0;
  Lane lane;
};

struct Int8LanesOptions {
  int workers = 1;       // shards of metrics a variant needs
  int wide_threads = 1;  // of the wide executor
  // Makes a handle of a variant; its end is the owner's matter.
  std::function<VariantHandle(std::unique_ptr<Variant>)> make_handle;
  // Whether so many bytes more may be held; null: always.
  std::function<absl::Status(int64_t)> check_memory;
  // What the route `auto` makes of int8 as it joins with a verdict; called before it does.
  std::function<AutoState(const LaneStatus&, const config::QuantizationConfig&)> auto_state;
  // Told of every step, for the log, with what warm-up found.
  std::function<void(const LaneStatus&, const std::string& note)> on_step;
};

class Int8Lanes {
 public:
  using Key = std::pair<std::string, int64_t>;

  // Both must outlive the lanes.
  Int8Lanes(Int8LanesOptions options, Registry& registry, quantization::Builder& builder)
      : options_(std::move(options)), registry_(registry), builder_(builder) {}

  // For a published version. `settled`: files that appear for the first time are whole; else they are believed once
  // they look the same twice.
  void Align(const ModelFiles& files, int64_t number, const config::ModelConfig& config, bool settled);
  // The version is kept and does not serve: its build is cancelled; what is there already stays.
  void Rest(const Key& key);
  // For a published version, by request: builds the sibling that is missing, or has failed; `anew`, also one that is
  // there already. FAILED_PRECONDITION says why none can be built.
  absl::Status Build(const ModelFiles& files, int64_t number, const config::ModelConfig& config, bool anew);
  // Ends the build that runs or waits; it is not started again before its files or settings change. FAILED_PRECONDITION
  // when there is none.
  absl::Status CancelBuild(const Key& key);
  // The version is not published any more: its build is cancelled.
  void Drop(const Key& key);
  // Takes in what the builder has finished.
  void TakeResults();
  // What was loaded last as the sibling of a version; empty when nothing was.
  std::string ModelFileOf(const Key& key) const;

 private:
  struct Followed {
    std::string source;  // what the lane was made from
    std::string seen;    // what it looked like at the last look
    config::ModelConfig config;
    std::string model_file;  // of the sibling that was loaded
  };

  void Start(const Key& key, const ModelFiles& files, const config::ModelConfig& config);
  absl::Status CheckMemory(const std::string& model_file) const;
  void StartBuild(const Key& key, const ModelFiles& files, const config::ModelConfig& config, bool anew);
  // Loads the model of a finished artifact and lets it join, with the report's verdict.
  void Join(const Key& key, const quantization::Artifact& artifact, const config::ModelConfig& config);
  // Enters `lane`; the variant is there from a verdict on.
  void Enter(const Key& key, Lane lane, VariantHandle int8 = nullptr, const std::string& note = "",
             const AutoState& auto_state = {});

  const Int8LanesOptions options_;
  Registry& registry_;
  quantization::Builder& builder_;
  std::map<Key, Followed> followed_;
};

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_INT8_LANES_H_
