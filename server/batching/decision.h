// Decide: which queue's batch runs next, how large, or how long to wait. A pure function of what it is given.
//
// Ready is a queue whose batch cannot grow, whose oldest request has waited max_delay, or which has one that would soon
// be too late. Among the ready the queue that has been given the least work goes first (fair shares between models),
// then the one that has waited longest. Costly work is shared out among the idle workers instead of being run as one
// batch by one of them.
#ifndef TANDEM_SERVER_BATCHING_DECISION_H_
#define TANDEM_SERVER_BATCHING_DECISION_H_

#include <cstdint>

#include "absl/types/span.h"
#include "server/sync/time.h"

namespace tandem::batching {

// How a model's requests may be joined.
struct BatchLimits {
  // Rows of a batch at most; 1: one request at a time. A request with more rows than this runs alone, in
  // parts.
  int64_t max_rows = 1;
  // How long the oldest request waits for company. 0: whatever waits when a worker is free makes the batch.
  Duration max_delay{0};
  // Measured time of one row within a batch; 0 when unknown.
  Duration row_cost{0};
};

// A queue with at least one request, at one moment.
struct QueueView {
  int64_t rows = 0;           // of the batch that the first request would lead now
  bool full = false;          // more arrivals cannot enlarge that batch
  Time oldest{};              // arrival of the oldest request
  Time latest = Time::max();  // when the first of the requests must have been started
  Duration service_time{0};   // work this queue has been given
  BatchLimits limits;
};

struct Decision {
  int queue = -1;              // index of the queue to serve, or -1: nothing is ready
  int64_t rows = 0;            // rows to take at most
  Time wake_at = Time::max();  // with -1: when a queue becomes ready unless something arrives before
};

// `idle_workers` counts the one that asks.
Decision Decide(absl::Span<const QueueView> queues, Time now, int idle_workers);

// Batch sizes are powers of two and the limit itself, so that few plans serve all: the largest size of at most `rows`.
int64_t SizeDown(int64_t rows, int64_t max_rows);
// The smallest size of at least `rows`; `rows` itself above the limit. Batches are padded up to it.
int64_t SizeUp(int64_t rows, int64_t max_rows);

// Whether a second worker should be woken for `cost` of waiting work while another is due to ask again at `free_at`
// (Time::max(): none is). Waking costs both cores more than a short wait.
bool WorthWaking(Duration cost, Time free_at, Time now);

// The usual time between arrivals: a moving average over the last few, in which a long pause counts as ten
// milliseconds.
class ArrivalGap {
 public:
  // Counts an arrival at `now` and returns the average.
  Duration Add(Time now);

 private:
  Time last_{};
  Duration average_{0};
};

// Whether work of `cost` (0: unknown) should run on the thread that received it, given the usual `gap` between
// arrivals: when handing it over would cost more, or when it ends long before the next request is due.
bool WorthRunningInline(Duration cost, Duration gap);

}  // namespace tandem::batching

#endif  // TANDEM_SERVER_BATCHING_DECISION_H_
