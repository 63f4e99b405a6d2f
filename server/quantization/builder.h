// Builder: makes int8 artifacts, one at a time, in a child process: `tandem-model quantize`. Its memory returns when it
// ends, cancelling it is a kill, and its crash harms nobody.
//
// A finished artifact in the store is used without building. Thread-safe.
#ifndef TANDEM_SERVER_QUANTIZATION_BUILDER_H_
#define TANDEM_SERVER_QUANTIZATION_BUILDER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/mutex.h"
#include "server/metrics/build_metrics.h"
#include "server/quantization/child_process.h"
#include "server/quantization/progress.h"
#include "server/quantization/store.h"
#include "server/sync/cond_var.h"

namespace tandem::quantization {

// Whose sibling is built.
using BuildKey = std::pair<std::string, int64_t>;  // model and version

struct BuildResult {
  BuildKey key;
  absl::StatusOr<Artifact> artifact;
};

struct BuilderOptions {
  std::string state_dir;
  std::string program;  // tandem-model
  // Called from the builder's thread. Results are fetched by TakeResults after `on_result`.
  std::function<void(const BuildKey&, const Progress&)> on_progress;
  std::function<void()> on_result;
  // For the log: what was found damaged or out of date.
  std::function<void(const std::string&)> on_warning;
};

class Builder {
 public:
  explicit Builder(BuilderOptions options);
  ~Builder();
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  // Queues a build. There is none of `key` yet, or it has been cancelled. `anew`: what is kept of an earlier build of
  // the same recipe does not do.
  void Start(const BuildKey& key, const Recipe& recipe, bool anew = false);
  // Drops a queued build, kills a running one, forgets a result. Nothing more is told of it.
  void Cancel(const BuildKey& key);
  std::vector<BuildResult> TakeResults();
  // Kills what runs and starts nothing more. Returns when the child is gone.
  void Stop();

  const metrics::BuildMetrics& metrics() const { return metrics_; }

 private:
  struct Job {
    BuildKey key;
    Recipe recipe;
    bool anew = false;
  };

  void Loop();
  bool TakeJob(Job& job);
  // Takes a result in unless the build was cancelled meanwhile.
  void Deliver(const Job& job, absl::StatusOr<Artifact> artifact);
  absl::StatusOr<Artifact> Make(const Job& job);
  absl::StatusOr<Artifact> Build(const Job& job, const std::string& hash);
  // Tells of progress unless the build was cancelled meanwhile.
  void Report(const Job& job, const Progress& progress);
  void Warn(const std::string& text) const;

  const BuilderOptions options_;
  const ArtifactStore store_;
  metrics::BuildMetrics metrics_;
  CancelSignal cancel_;

  Mutex mutex_;
  CondVar work_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  std::optional<BuildKey> running_ ABSL_GUARDED_BY(mutex_);  // empty also when what runs was cancelled
  std::vector<BuildResult> results_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_BUILDER_H_
