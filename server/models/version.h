// Version: one loaded version of a model, with the queue of its requests.
//
// Requests hold it by shared_ptr, so that replacing or removing it never touches a request in flight. When the last
// handle goes, wherever that happens, the version is put in the Graveyard, and a thread that serves nobody frees it.
#ifndef TANDEM_SERVER_MODELS_VERSION_H_
#define TANDEM_SERVER_MODELS_VERSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/model.h"
#include "engine/mutex.h"
#include "server/batching/queue.h"

namespace tandem::models {

// Immutable but for its queue, which the dispatcher guards.
struct Version {
  std::string model_name;
  int64_t number = 1;
  std::string number_text;
  std::shared_ptr<const engine::Model> model;
  // Requests may be joined along dimension 0: the engine allows it and the proof at warm-up agreed.
  bool shares_batch = false;
  // What clients are told; 0 where the batch is not shared.
  int64_t max_batch_size = 0;
  std::unique_ptr<batching::Queue> queue;
};

using VersionHandle = std::shared_ptr<Version>;

// Versions without handles, until somebody buries them. Thread-safe.
class Graveyard {
 public:
  // `on_arrival` is called from whatever thread dropped the last handle: it must be quick.
  explicit Graveyard(std::function<void()> on_arrival) : on_arrival_(std::move(on_arrival)) {}

  void Add(std::unique_ptr<Version> version) {
    MutexLock lock(mutex_);
    dead_.push_back(std::move(version));
    if (on_arrival_) on_arrival_();
  }
  std::vector<std::unique_ptr<Version>> TakeAll() {
    MutexLock lock(mutex_);
    return std::exchange(dead_, {});
  }
  // Nobody listens any more; what arrives is freed with the graveyard.
  void Close() {
    MutexLock lock(mutex_);
    on_arrival_ = nullptr;
  }

 private:
  Mutex mutex_;
  std::function<void()> on_arrival_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Version>> dead_ ABSL_GUARDED_BY(mutex_);
};

// A handle whose end puts the version into `graveyard`.
inline VersionHandle MakeHandle(std::unique_ptr<Version> version, std::shared_ptr<Graveyard> graveyard) {
  return VersionHandle(version.release(),
                       [graveyard](Version* dead) { graveyard->Add(std::unique_ptr<Version>(dead)); });
}

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_VERSION_H_
