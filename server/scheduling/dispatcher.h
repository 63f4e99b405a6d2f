// Dispatcher: hands the requests of all queues to the workers, batch by batch.
//
// It has no thread of its own: a worker that is free asks, under one lock, what to run next, and sleeps when there is
// nothing. The answer comes from the pure function batching::Decide. Thread-safe.
#ifndef TANDEM_SERVER_SCHEDULING_DISPATCHER_H_
#define TANDEM_SERVER_SCHEDULING_DISPATCHER_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/model.h"
#include "engine/mutex.h"
#include "server/batching/decision.h"
#include "server/batching/queue.h"
#include "server/scheduling/run_batch.h"
#include "server/sync/cond_var.h"

namespace tandem::scheduling {

// What a worker is to do: run `requests` as one batch, or forget models, or (both empty) end.
struct Task {
  std::shared_ptr<batching::Queue> queue;
  std::vector<batching::Request*> requests;
  std::vector<const engine::Model*> forget;
  Spent spent;  // what the batch took, set by the worker
};

class Dispatcher {
 public:
  // `max_bytes`: memory that requests may hold while they wait, over all queues.
  Dispatcher(int workers, size_t max_bytes)
      : num_workers_(workers), max_bytes_(max_bytes), workers_(workers), cores_(workers) {}

  // Batches that run at a time, at most: the cores there are now. At least 1; more than the workers is as many.
  void SetCores(int cores);

  // Queues the request, or refuses it with RESOURCE_EXHAUSTED: there is no room, or it could not be answered in time,
  // by what requests took lately. Once accepted it may be answered before this returns.
  absl::Status Submit(batching::Request* request);
  // Takes back a request that still waits: true, and the caller answers it. False: it runs or has been answered.
  bool Withdraw(batching::Request* request);

  // Nothing waits and nothing runs. True may be out of date at once; takes no lock.
  bool Idle() const { return load_.load(std::memory_order_relaxed) == 0; }

  // Nothing waits, and a worker has nothing to do. As up to date as Idle.
  bool HasIdleWorker() const { return load_.load(std::memory_order_relaxed) < num_workers_; }

  // Batches that may run at a time, and those that run.
  struct Cores {
    int granted = 0, busy = 0;
  };
  Cores CoresNow();

  // Requests that wait in `queue`.
  size_t Waiting(const batching::Queue& queue);

  // Blocks until there is something to do for `worker`. Takes back its last task (at first an empty one), so that an
  // idle worker keeps no version alive.
  Task Next(int worker, Task last);

  // Has every worker drop what it holds of `model`; returns when they have.
  void Forget(const engine::Model& model);

  // Lets the workers end; what still waits is answered by nobody, so drain first.
  void Stop();

  int num_workers() const { return num_workers_; }

 private:
  struct Worker {
    batching::Queue* running = nullptr;  // whose batch it runs, kept alive by its task
    Time due = Time::max();              // when it is expected to ask again, if known
    bool forgetting = false;
    bool gone = false;
    std::vector<const engine::Model*> to_forget;
  };

  void Finished(Worker& worker, const Spent& spent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What a free worker is to do; nothing while as many run as there are cores.
  batching::Decision DecideNow(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int Busy() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int FreeCores() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Task Take(Worker& worker, const batching::Decision& decision, Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Activate(const std::shared_ptr<batching::Queue>& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether to wake another worker for what waits now.
  bool ShouldWake(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void AddLoad(int change) { load_.fetch_add(change, std::memory_order_relaxed); }

  const int num_workers_;
  const size_t max_bytes_;
  std::atomic<int> load_{0};  // requests that wait, and batches that run

  Mutex mutex_;
  CondVar work_;       // something arrived, or Stop or Forget was called
  CondVar forgotten_;  // a worker dropped a model
  std::vector<Worker> workers_ ABSL_GUARDED_BY(mutex_);
  int cores_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<batching::Queue>> active_ ABSL_GUARDED_BY(mutex_);  // those with requests
  std::vector<batching::QueueView> views_ ABSL_GUARDED_BY(mutex_);                // scratch of DecideNow
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  int waking_ ABSL_GUARDED_BY(mutex_) = 0;  // idle workers notified and not yet running
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::scheduling

#endif  // TANDEM_SERVER_SCHEDULING_DISPATCHER_H_
