// Variant: one precision of a model version, ready to run, with the queue of its requests.
//
// Versions and requests hold it by shared_ptr, so that it may join or leave a version without touching a request in
// flight. When the last handle goes, wherever that happens, it is put in the Graveyard, and a thread that serves nobody
// frees it.
#ifndef TANDEM_SERVER_MODELS_VARIANT_H_
#define TANDEM_SERVER_MODELS_VARIANT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/model.h"
#include "engine/mutex.h"
#include "server/batching/queue.h"

namespace tandem::models {

enum class Precision { kFp32, kInt8 };

// What clients call it.
inline absl::string_view NameOf(Precision precision) { return precision == Precision::kFp32 ? "fp32" : "int8"; }

// Immutable but for its queue, which the dispatcher guards.
struct Variant {
  std::string model_name;
  int64_t version = 1;
  Precision precision = Precision::kFp32;
  std::shared_ptr<const engine::Model> model;
  // Requests may be joined along dimension 0: the engine allows it and the proof at warm-up agreed.
  bool shares_batch = false;
  std::unique_ptr<batching::Queue> queue;
};

using VariantHandle = std::shared_ptr<const Variant>;

// Variants without handles, until somebody buries them. Thread-safe.
class Graveyard {
 public:
  // `on_arrival` is called from whatever thread dropped the last handle: it must be quick.
  explicit Graveyard(std::function<void()> on_arrival) : on_arrival_(std::move(on_arrival)) {}

  void Add(std::unique_ptr<const Variant> variant) {
    MutexLock lock(mutex_);
    dead_.push_back(std::move(variant));
    if (on_arrival_) on_arrival_();
  }
  std::vector<std::unique_ptr<const Variant>> TakeAll() {
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
  std::vector<std::unique_ptr<const Variant>> dead_ ABSL_GUARDED_BY(mutex_);
};

// A handle whose end puts the variant into `graveyard`.
inline VariantHandle MakeHandle(std::unique_ptr<Variant> variant, std::shared_ptr<Graveyard> graveyard) {
  return VariantHandle(variant.release(),
                       [graveyard](const Variant* dead) { graveyard->Add(std::unique_ptr<const Variant>(dead)); });
}

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_VARIANT_H_
