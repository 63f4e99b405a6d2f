// InlineRunner: runs a request on the thread that received it, where handing it to a worker would cost more than the
// request itself.
//
// It has a session of its own. Offer is called by the receiving thread alone; Forget from any thread.
#ifndef TANDEM_SERVER_SCHEDULING_INLINE_RUNNER_H_
#define TANDEM_SERVER_SCHEDULING_INLINE_RUNNER_H_

#include <vector>

#include "engine/model.h"
#include "engine/mutex.h"
#include "engine/session.h"
#include "server/batching/decision.h"
#include "server/batching/request.h"
#include "server/scheduling/dispatcher.h"

namespace tandem::scheduling {

class InlineRunner {
 public:
  explicit InlineRunner(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  // Runs and answers `request` when nothing else waits or runs and batching::WorthRunningInline says so: true. False:
  // nothing happened, the caller queues it.
  bool Offer(batching::Request& request) ABSL_LOCKS_EXCLUDED(mutex_);

  // Drops what is held of `model`.
  void Forget(const engine::Model& model) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Dispatcher& dispatcher_;

  // Of the receiving thread.
  batching::ArrivalGap gap_;
  std::vector<batching::Request*> batch_;

  Mutex mutex_;  // against Forget; free otherwise
  engine::Session session_ ABSL_GUARDED_BY(mutex_){engine::SessionOptions{.threads = 1}};
};

}  // namespace tandem::scheduling

#endif  // TANDEM_SERVER_SCHEDULING_INLINE_RUNNER_H_
