#include "server/batching/wide.h"

#include <algorithm>
#include <utility>

namespace tandem::batching {
namespace {

// Work of less than this is not handed to a team, and does not wait for one.
constexpr Duration kShort = std::chrono::microseconds(300);

// Of the time that the server must have been quiet for, a wide run takes at most this part.
constexpr int kShareOfQuiet = 100;

}  // namespace

bool PaysWide(const WideCost& cost) {
  return cost.narrow >= kShort && cost.wide.count() > 0 && 4 * cost.wide <= 3 * cost.narrow;
}

bool MayRunBesideWide(const QueueView& queue) {
  const Duration cost = queue.limits.row_cost * queue.rows;
  return cost.count() > 0 && cost <= kShort;
}

void WideGate::Ran(Time now, Duration took, const WideCost& cost) {
  const bool was_slow = std::exchange(slow_, took > cost.narrow);
  if (!slow_) pause_ = kQuiet;
  if (!slow_ || !was_slow) return;
  since_ = now;
  pause_ = std::min(2 * pause_, kLongestPause);
}

bool WideGate::Open(Time now, const WideCost& cost) const {
  return now - since_ >= std::max(pause_, kShareOfQuiet * cost.wide);
}

}  // namespace tandem::batching
