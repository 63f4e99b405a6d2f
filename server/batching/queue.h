// Queue: the requests that wait for one variant of one model version. Passive: the dispatcher's lock guards it.
//
// Bounded in requests here and in bytes by the dispatcher: what does not fit is refused at once. Ordered by PlaceOf:
// without priorities by arrival.
#ifndef TANDEM_SERVER_BATCHING_QUEUE_H_
#define TANDEM_SERVER_BATCHING_QUEUE_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/model.h"
#include "server/batching/decision.h"
#include "server/batching/request.h"
#include "server/batching/wide.h"
#include "server/metrics/version_metrics.h"

namespace tandem::batching {

struct QueueOptions {
  std::string name;  // for messages: "model mnist version 1"
  size_t max_requests = 1024;
  BatchLimits batch;
  std::vector<WideCost> wide;  // of the batch sizes that pay on several cores, by size
};

class Queue {
 public:
  Queue(const QueueOptions& options, std::shared_ptr<const engine::Model> model, int workers)
      : options_(options), model_(std::move(model)), metrics_(workers), row_time_(options.batch.row_cost) {}

  // RESOURCE_EXHAUSTED when it is full. Does not take ownership.
  absl::Status Push(Request* request);
  // Takes out a request that still waits; false when it does not.
  bool Remove(const Request* request);
  // Takes the first request and those that may share its batch, in their order, up to `max_rows` rows in all; the first
  // whatever its size. With them go, wherever they stand, those that must not be started any more at `now`: whoever
  // runs the batch refuses them. The queue must not be empty.
  std::vector<Request*> Cut(int64_t max_rows, Time now);
  // The queue must not be empty.
  QueueView View() const;

  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }

  // Takes out, wherever they stand, those that must not be started any more at `now`.
  std::vector<Request*> TakeLate(Time now);
  // When the next of them must have been started; Time::max() when none has a limit.
  Time NextLate() const;

  // What waits, by what rows took lately: the time of one core. 0 when that is not known.
  Duration WaitingWork() const { return row_time_ * waiting_rows_; }
  // How long `cores` would take to answer `request` if it joined now: what waits before it, `beside` of other queues,
  // and itself. 0 when nothing waits, or nothing is known: then only trying tells.
  Duration Promise(const Request& request, int cores, Duration beside) const;

  // Work given to this queue so far, in the currency of fair shares. A queue that was idle does not save up: it joins
  // at the level of those that are busy.
  Duration service_time() const { return service_time_; }
  // `rows` were run; 0: they were refused.
  void Charge(Duration cost, int64_t rows);
  void JoinAt(Duration level) { service_time_ = std::max(service_time_, level); }

  // Constant after construction, or synchronized by themselves.
  const QueueOptions& options() const { return options_; }
  // What a batch of `rows` costs on several cores; null when that does not pay.
  const WideCost* CostWide(int64_t rows) const;
  const std::shared_ptr<const engine::Model>& model() const { return model_; }
  metrics::VersionMetrics& metrics() { return metrics_; }
  const metrics::VersionMetrics& metrics() const { return metrics_; }

 private:
  const QueueOptions options_;
  const std::shared_ptr<const engine::Model> model_;
  metrics::VersionMetrics metrics_;

  std::deque<Request*> waiting_;  // by place
  size_t impatient_ = 0;          // of them, those with a start_by
  int64_t waiting_rows_ = 0;
  Duration row_time_;  // a moving average; 0: not known
  Duration service_time_{0};
};

}  // namespace tandem::batching

#endif  // TANDEM_SERVER_BATCHING_QUEUE_H_
