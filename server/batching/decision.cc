#include "server/batching/decision.h"

#include <algorithm>
#include <bit>

namespace tandem::batching {
namespace {

// Waking a worker takes some tens of microseconds of both cores; less work than this is not worth it.
constexpr Duration kWakeCost = std::chrono::microseconds(60);

// How long before a request would be too late the wait for company ends: there must be time to run and answer it.
constexpr Duration kHaste = std::chrono::milliseconds(10);

Time ReadyAt(const QueueView& queue) {
  if (queue.full || queue.limits.max_delay.count() <= 0) return queue.oldest;
  return std::min(queue.oldest + queue.limits.max_delay, queue.latest - kHaste);
}

// The rows one of `idle_workers` should take so that all of them end together.
int64_t Share(const QueueView& queue, int idle_workers) {
  if (idle_workers <= 1 || queue.limits.row_cost * queue.rows <= 2 * kWakeCost) return queue.rows;
  return (queue.rows + idle_workers - 1) / idle_workers;
}

}  // namespace

Decision Decide(absl::Span<const QueueView> queues, Time now, int idle_workers) {
  Decision decision;
  int ready = 0;
  for (int i = 0; i < static_cast<int>(queues.size()); ++i) {
    const QueueView& queue = queues[i];
    const Time ready_at = ReadyAt(queue);
    if (ready_at > now) {
      decision.wake_at = std::min(decision.wake_at, ready_at);
      continue;
    }
    ++ready;
    if (decision.queue >= 0) {
      const QueueView& best = queues[decision.queue];
      if (best.service_time < queue.service_time) continue;
      if (best.service_time == queue.service_time && best.oldest <= queue.oldest) continue;
    }
    decision.queue = i;
  }
  if (decision.queue < 0) return decision;
  const QueueView& chosen = queues[decision.queue];
  // Other ready queues will keep the idle workers busy.
  const int sharing = std::max(1, idle_workers - (ready - 1));
  decision.rows = SizeDown(Share(chosen, sharing), chosen.limits.max_rows);
  return decision;
}

int64_t SizeDown(int64_t rows, int64_t max_rows) {
  if (rows >= max_rows) return max_rows;
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(rows, 1))));
}

int64_t SizeUp(int64_t rows, int64_t max_rows) {
  if (rows >= max_rows) return rows;
  return std::min(max_rows, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(rows, 1)))));
}

bool WorthWaking(Duration cost, Time free_at, Time now) {
  // None is due, or the one that was is late: it may be compiling.
  if (free_at == Time::max() || free_at + kWakeCost < now) return true;
  return cost > kWakeCost || free_at > now + kWakeCost;
}

Duration ArrivalGap::Add(Time now) {
  constexpr Duration kPause = std::chrono::milliseconds(10);
  constexpr int kMemory = 8;
  average_ += (std::min<Duration>(now - last_, kPause) - average_) / kMemory;
  last_ = now;
  return average_;
}

bool WorthRunningInline(Duration cost, Duration gap) {
  // Handing over costs about this much of both cores.
  constexpr Duration kHandOver = std::chrono::microseconds(8);
  // However idle the server is, the receiver is not kept from other models' requests for longer.
  constexpr Duration kLongest = std::chrono::microseconds(300);
  if (cost.count() <= 0 || cost > kLongest) return false;
  return cost <= kHandOver || 2 * cost < gap;
}

}  // namespace tandem::batching
