// Loader: brings the registry in line with what is on disk, on one low-priority thread that serves nobody.
//
// It looks at once when started and then every poll interval. A version found is loaded, warmed up and published; one
// that has gone is retracted, and freed when its last request has ended. A version that fails leaves whatever was
// serving in place, and is tried again when its files change. int8 siblings join once
// fp32 serves. What is unloaded by hand stays away until it is loaded by hand. Thread-safe.
#ifndef TANDEM_SERVER_MODELS_LOADER_H_
#define TANDEM_SERVER_MODELS_LOADER_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "config/model_config.h"
#include "engine/mutex.h"
#include "server/models/files_to_evaluate.h"
#include "server/models/int8_lanes.h"
#include "server/models/lineup.h"
#include "server/models/load_variant.h"
#include "server/models/orders.h"
#include "server/models/registry.h"
#include "server/models/repository.h"
#include "server/models/variant.h"
#include "server/models/version.h"
#include "server/sync/cond_var.h"
#include "server/traffic/collector.h"

namespace tandem::models {

struct LoaderOptions {
  std::vector<std::string> files;                    // ONNX files, served as version 1
  std::vector<std::string> repositories;             // folders
  Duration poll_interval = std::chrono::seconds(1);  // 0: only on request
  int workers = 1;                                   // shards of metrics a variant needs
  int wide_threads = 1;                              // of the wide executor
  std::string state_dir;                             // where int8 artifacts are kept; empty: none are built
  std::string quantizer;                             // the program that builds them: tandem-model
  // Makes every worker drop what it holds of a model; called before the model is freed.
  std::function<void(const engine::Model&)> forget;
  // Whether so many bytes more may be held; null: always.
  std::function<absl::Status(int64_t)> check_memory;
  // What the route `auto` makes of an int8 sibling that joins.
  std::function<AutoState(const LaneStatus&, const config::QuantizationConfig&)> auto_state;
  // Told of every step, for the log.
  std::function<void(const VersionStatus&, const std::string& note)> on_step;
  std::function<void(const LaneStatus&, const std::string& note)> on_lane_step;  // of int8
  std::function<void(const std::string&)> on_warning;
  // Takes what config.yaml says of a model's route, after having brought what is published to the route that counts,
  // and returns that. Unset: config.yaml counts, as it was when the version was loaded.
  std::function<config::RouteConfig(const std::string& model, const config::RouteConfig& desired)> desire_route;
  // Told at every look what config.yaml says of a model, once the versions that serve are those that are wanted.
  std::function<void(const std::string& model, const config::ModelConfig& config)> on_look;
  // Keeps for the next start that a model was unloaded by hand, or is not any more. An error refuses the change.
  std::function<absl::Status(const std::string& model, bool unloaded)> keep_unloaded;
  // Keeps for the next start which versions of a model were rolled back from. An error refuses the change.
  std::function<absl::Status(const std::string& model, const std::set<int64_t>& rejected)> keep_rejected;
};

class Loader {
 public:
  Loader(LoaderOptions options, Registry& registry);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // `unloaded`: models that were unloaded by hand before; `rejected`: versions that were rolled back from.
  void Start(std::set<std::string> unloaded = {}, Rejections rejected = {});
  // Ends the thread. Versions still held by requests are freed when those end, or never.
  void Stop();
  // Kills the build of an int8 sibling that runs, and starts no other.
  void StopBuilds() { builder_.Stop(); }
  const metrics::BuildMetrics& build_metrics() const { return builder_.metrics(); }
  // Looks now; returns when everything found has been dealt with.
  void Sync();
  // Makes version `to` (0: the one before what serves) serve in place of newer ones, which stay out until their files
  // go, a version newer than they appears, or Load. At once when it is kept warm; else when it has been loaded. Returns
  // its number. FAILED_PRECONDITION when there is no such version, or it cannot be loaded; then nothing has changed.
  absl::StatusOr<int64_t> Rollback(const std::string& model, int64_t to);
  // The route of a model has got another candidate (0: none): brings what is loaded and serves of it in line now.
  // Returns when that is done, whether or not the candidate could be loaded. NOT_FOUND when there are no files of the
  // model.
  absl::Status Realign(const std::string& model, int64_t candidate);
  // As Lineup::CheckCandidate, by the last look.
  absl::Status CheckCandidate(const std::string& model, int64_t number) const {
    return lineup_.CheckCandidate(model, number);
  }
  // Blocks until the first look is done, or Stop.
  void WaitForFirst();
  bool first_done() const;
  // Every model found has a published version, but for those unloaded by hand.
  bool all_serving() const;

  // Looks for the model now and returns when it serves, even if it was unloaded by hand, has failed before, or its
  // files have only just appeared. NOT_FOUND when there are no files of it; UNAVAILABLE says why it does not serve.
  absl::Status Load(const std::string& model);
  // Retracts every version and keeps the model away until Load. What is in flight ends first, which is not waited for.
  // NOT_FOUND when there is no such model.
  absl::Status Unload(const std::string& model);
  // Starts the build of the int8 sibling of a version (0: the newest that serves) unless there is one or its build
  // runs; `anew`, even then. Returns the version, whose lane in the registry tells how it goes. FAILED_PRECONDITION
  // says why none can be built.
  absl::StatusOr<int64_t> Quantize(const std::string& model, int64_t version, bool anew);
  // Ends that build. FAILED_PRECONDITION when there is none.
  absl::StatusOr<int64_t> CancelQuantize(const std::string& model, int64_t version);
  // The files of all variants of loaded versions; without any, of the newest that serves. FAILED_PRECONDITION names a
  // version that is not loaded.
  absl::StatusOr<FilesToEvaluate> FindToEvaluate(const std::string& model, std::vector<int64_t> versions);

 private:
  using Key = std::pair<std::string, int64_t>;
  static constexpr char kUnloadedByHand[] = "it was unloaded by request";

  void Loop();
  std::vector<ModelFiles> LookOnce();
  std::vector<ModelFiles> FindModels();
  const std::vector<ModelFiles>& Scan(const std::string& folder);
  void Align(const ModelFiles& files);
  config::ModelConfig ReadConfig(const ModelFiles& files, absl::Status& status);
  // Whether the version is loaded after this, now or before.
  bool EnsureLoaded(const ModelFiles& files, int64_t number, const config::ModelConfig& config,
                    const absl::Status& config_status);
  // Whether there is room to load it, beside what it is to replace.
  absl::Status CheckMemory(const VersionFiles& files) const;
  absl::StatusOr<WarmVariant> LoadFp32(const ModelFiles& files, int64_t number, const config::ModelConfig& config);
  // Has `to` loaded and serve in place of newer ones, which are rejected.
  absl::Status LoadOlder(const std::string& model, int64_t to);
  // Brings routes, settings and int8 siblings of what is published in line, once fp32 is.
  void AlignVariants(const std::vector<ModelFiles>& found, bool settled);
  void AlignInt8(const ModelFiles& as_found, const config::ModelConfig& config, bool settled);
  // Does with samples of live requests what a look would do, and nothing else.
  void TendTraffic();
  Time TimeToTend(Time tended) const;
  // The candidate of the route that counts; 0: none. `read`: whether config.yaml could be read.
  int64_t CandidateOf(const ModelFiles& files, const config::ModelConfig& config, const absl::Status& read);
  void AlignSettings(const Key& key, const config::ModelConfig& config);
  // Takes samples of live requests for those beside the model, where there are none and config.yaml asks for them.
  ModelFiles WithTraffic(ModelFiles files, const config::ModelConfig& config);
  config::RouteConfig DesireRoute(const std::string& model, const config::RouteConfig& desired) const {
    return options_.desire_route ? options_.desire_route(model, desired) : desired;
  }
  quantization::BuilderOptions BuilderOptionsOf();
  // The builder's thread tells how far it is.
  void ShowProgress(const Key& key, const quantization::Progress& progress);
  VariantHandle Keep(std::unique_ptr<Variant> variant);
  void Retract(const std::string& model, const std::vector<int64_t>& numbers);
  void ForgetFailures(const std::vector<ModelFiles>& found);
  void Enter(const Key& key, State state, const std::string& reason = "",
             absl::StatusCode code = absl::StatusCode::kOk);
  void Fail(const Key& key, const absl::Status& status);
  void Bury();
  // loader_orders.cc: orders as the loader's thread carries them out.
  // Places an order, and again when something has ended, as long as it says that what is still in use stands in its
  // way: a version cannot be loaded beside itself.
  absl::Status PlaceAfterDraining(const std::function<absl::Status(bool& drains)>& order);
  absl::Status LoadNow(const std::string& model, bool& drains);
  absl::Status UnloadNow(const std::string& model);
  absl::StatusOr<int64_t> QuantizeNow(const std::string& model, int64_t version, bool anew);
  absl::Status FindToEvaluateNow(const std::string& model, std::vector<int64_t> versions, FilesToEvaluate& found);
  absl::StatusOr<ModelFiles> FindModel(const std::string& model);
  // Retracts what serves of a model that was unloaded by hand, and shows that.
  void RetireUnloaded(const ModelFiles& files);

  const LoaderOptions options_;
  Registry& registry_;
  const std::shared_ptr<Graveyard> graveyard_;
  std::thread thread_;

  // Of the loader's thread alone.
  std::map<Key, std::string> failed_;    // stamp of the files that failed
  std::set<Key> no_room_;                // those for which there was no memory
  std::map<Key, std::string> unstable_;  // stamp seen at the last look, of versions not loaded yet
  std::set<std::string> known_models_;
  std::map<std::string, std::pair<ModelFiles, config::ModelConfig>> samplers_;  // ask for samples of live requests
  std::map<std::string, int64_t> candidates_;                                   // of routes, as last read
  std::set<std::string> unloaded_;                                              // by hand
  std::map<Key, int> living_;                                                   // variants that are not buried yet
  std::map<std::string, std::vector<ModelFiles>> scans_;  // of each repository, the last that could be read
  std::set<std::string> unreadable_;                      // repositories that cannot be read now

  Lineup lineup_;

  mutable Mutex mutex_;
  CondVar wake_;
  CondVar done_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool bury_ ABSL_GUARDED_BY(mutex_) = false;
  bool built_ ABSL_GUARDED_BY(mutex_) = false;
  bool ordered_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t burials_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t looks_asked_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t looks_done_ ABSL_GUARDED_BY(mutex_) = 0;
  bool first_done_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_serving_ ABSL_GUARDED_BY(mutex_) = false;

  Orders orders_;
  quantization::Builder builder_;
  Int8Lanes lanes_;               // of the loader's thread
  traffic::Collector collector_;  // of the loader's thread
};

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_LOADER_H_
