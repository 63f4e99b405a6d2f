#include "server/scheduling/inline_runner.h"

#include "server/scheduling/run_batch.h"

namespace tandem::scheduling {

bool InlineRunner::Offer(batching::Request& request) {
  const batching::BatchLimits& limits = request.queue->options().batch;
  const Duration gap = gap_.Add(request.arrived);
  const bool waits_for_company = limits.max_delay.count() > 0 && limits.max_rows > request.rows;
  if (waits_for_company || !batching::WorthRunningInline(limits.row_cost * request.rows, gap)) return false;
  if (!dispatcher_.Idle()) return false;
  MutexLock lock(mutex_);
  batch_.assign(1, &request);
  // The answer ends the request's life, but not the queue's: it belongs to the version.
  const std::shared_ptr<batching::Queue> queue = request.queue;
  RunBatch(session_, *queue, batch_, queue->metrics().receiver());
  return true;
}

void InlineRunner::Forget(const engine::Model& model) {
  MutexLock lock(mutex_);
  session_.Forget(model);
}

}  // namespace tandem::scheduling
