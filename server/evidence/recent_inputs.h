// RecentInputs: whether an input has been seen among the last few. Traffic that repeats itself is no new evidence. Not
// thread-safe.
#ifndef TANDEM_SERVER_EVIDENCE_RECENT_INPUTS_H_
#define TANDEM_SERVER_EVIDENCE_RECENT_INPUTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace tandem::evidence {

class RecentInputs {
 public:
  // Remembers the last `window` different inputs.
  explicit RecentInputs(size_t window) : window_(window) {}

  // False when an input of this hash is remembered.
  bool Add(uint64_t hash) {
    if (!known_.insert(hash).second) return false;
    if (order_.size() < window_) {
      order_.push_back(hash);
      return true;
    }
    known_.erase(order_[oldest_]);
    order_[oldest_] = hash;
    oldest_ = (oldest_ + 1) % window_;
    return true;
  }

 private:
  const size_t window_;
  absl::flat_hash_set<uint64_t> known_;
  std::vector<uint64_t> order_;  // a ring once it is full
  size_t oldest_ = 0;
};

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_RECENT_INPUTS_H_
