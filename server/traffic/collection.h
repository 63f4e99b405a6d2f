// Collection: where the requests of one model leave samples of their inputs. Thread-safe.
#ifndef TANDEM_SERVER_TRAFFIC_COLLECTION_H_
#define TANDEM_SERVER_TRAFFIC_COLLECTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/mutex.h"
#include "server/traffic/reservoir.h"

namespace tandem::traffic {

struct CollectionSize {
  int64_t seen = 0;  // requests that were offered
  size_t samples = 0;
  size_t bytes = 0;
};

class Collection {
 public:
  Collection(const ReservoirLimits& limits, uint64_t seed) : reservoir_(limits, seed) {}

  // By whoever answers a request: copies its inputs, if they are taken at all, and never waits: a request that comes
  // while another one is being copied is let go.
  void Offer(size_t bytes, Time now, absl::FunctionRef<Inputs()> copy) {
    if (!mutex_.TryLock()) return;
    reservoir_.Offer(bytes, now, copy);
    mutex_.Unlock();
  }
  CollectionSize Size() const {
    MutexLock lock(mutex_);
    return {.seen = reservoir_.seen(), .samples = reservoir_.size(), .bytes = reservoir_.bytes()};
  }
  std::vector<Inputs> TakeAll(Time now) {
    MutexLock lock(mutex_);
    return reservoir_.TakeAll(now);
  }

 private:
  mutable Mutex mutex_;
  Reservoir reservoir_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::traffic

#endif  // TANDEM_SERVER_TRAFFIC_COLLECTION_H_
