// WorkerPool: the threads that run batches. Each owns one engine session and uses one core, but for the wide executor,
// which runs the batches of lone requests in a team of threads that lives for one batch. One more refuses what has
// waited too long.
//
// It starts with construction and ends with destruction, which stops the dispatcher: drain before.
#ifndef TANDEM_SERVER_SCHEDULING_WORKER_POOL_H_
#define TANDEM_SERVER_SCHEDULING_WORKER_POOL_H_

#include <thread>
#include <vector>

#include "server/scheduling/dispatcher.h"

namespace tandem::scheduling {

class WorkerPool {
 public:
  // One thread for each of the dispatcher's workers, one for the wide executor if it has one, and the timer; the
  // dispatcher outlives the pool.
  explicit WorkerPool(Dispatcher& dispatcher);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

 private:
  Dispatcher& dispatcher_;
  std::vector<std::thread> threads_;
};

}  // namespace tandem::scheduling

#endif  // TANDEM_SERVER_SCHEDULING_WORKER_POOL_H_
