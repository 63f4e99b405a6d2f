// Dispatcher: hands the requests of all queues to the workers, batch by batch.
//
// It has no thread of its own: a worker that is free asks, under one lock, what to run next, and sleeps when there is
// nothing. The answer comes from the pure function batching::Decide. Thread-safe.
//
// Beside the workers, which compute on one core each, there may be one wide executor, whose team of threads takes
// several. A request goes to it at once when it arrives alone and batching::WideGate is open; its cores count as busy
// while it runs, except for what is so short that waiting would be worse (batching::MayRunBesideWide).
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
#include "server/batching/wide.h"
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
  // `max_bytes`: memory that requests may hold while they wait, over all queues. `wide_threads`: those of the wide
  // executor's team; with fewer than two there is none.
  Dispatcher(int workers, size_t max_bytes, int wide_threads = 1)
      : num_workers_(workers),
        max_bytes_(max_bytes),
        wide_threads_(wide_threads > 1 ? wide_threads : 0),
        workers_(workers + (wide_threads_ > 0 ? 1 : 0)),
        cores_(workers) {}

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

  // Cores that batches may take, and those that they take.
  struct Cores {
    int granted = 0, busy = 0;
  };
  Cores CoresNow();

  // Requests that wait in `queue`.
  size_t Waiting(const batching::Queue& queue);

  // Blocks until there is something to do for `worker`. Takes back its last task (at first an empty one), so that an
  // idle worker keeps no version alive.
  Task Next(int worker, Task last);

  // The same for the wide executor: its batches and what it is to forget.
  Task NextWide();
  // Called when the batch of NextWide has been answered, so that its cores are free for others.
  void FinishWide(Task done);

  // Requests that waited for longer than they would, taken out at `now`, and when there may be more.
  struct Late {
    std::vector<batching::Request*> requests;
    Time next = Time::max();
  };
  Late TakeLate(Time now);
  // Blocks until `until`, or a request has come that would rather not wait that long: true. False after Stop.
  bool WaitForLate(Time until);

  // Has every worker drop what it holds of `model`; returns when they have.
  void Forget(const engine::Model& model);

  // Lets the workers end; what still waits is answered by nobody, so drain first.
  void Stop();

  int num_workers() const { return num_workers_; }
  // 0: there is no wide executor.
  int wide_threads() const { return wide_threads_; }

 private:
  struct Worker {
    batching::Queue* running = nullptr;  // whose batch it runs, kept alive by its task
    int cores = 0;                       // that it takes while it runs
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
  // Cores that what is short may share with the wide executor.
  int SharedCores() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Task Take(Worker& worker, int cores, const batching::Decision& decision, Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Hands `request`, which has just been queued, to the wide executor if it is alone and that is worth it.
  bool GoWide(const batching::Request& request, bool alone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What of other queues is run before what waits in `queue` now, as all get fair shares.
  Duration WorkBeside(const batching::Queue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A batch runs and is not due to have ended.
  bool Computes(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Activate(const std::shared_ptr<batching::Queue>& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether to wake another worker for what waits now.
  bool ShouldWake(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void AddLoad(int change) { load_.fetch_add(change, std::memory_order_relaxed); }

  const int num_workers_;
  const size_t max_bytes_;
  const int wide_threads_;
  std::atomic<int> load_{0};  // requests that wait, and cores of the batches that run

  Mutex mutex_;
  CondVar work_;                                         // something arrived, or Stop or Forget was called
  CondVar forgotten_;                                    // a worker dropped a model
  std::vector<Worker> workers_ ABSL_GUARDED_BY(mutex_);  // last of them the wide executor, if there is one
  int cores_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<batching::Queue>> active_ ABSL_GUARDED_BY(mutex_);  // those with requests
  std::vector<batching::QueueView> views_ ABSL_GUARDED_BY(mutex_);                // scratch of DecideNow, as
  std::vector<int> viewed_ ABSL_GUARDED_BY(mutex_);                               // are their indices in active_
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  int waking_ ABSL_GUARDED_BY(mutex_) = 0;  // idle workers notified and not yet running
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  CondVar late_;                                          // next_late_ has become earlier
  Time next_late_ ABSL_GUARDED_BY(mutex_) = Time::max();  // of requests that wait, none is late before

  CondVar wide_work_;  // for the wide executor, as work_
  batching::WideGate gate_ ABSL_GUARDED_BY(mutex_);
  Task wide_task_ ABSL_GUARDED_BY(mutex_);                                 // given and not yet taken up
  const batching::WideCost* wide_cost_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of what it was given last
};

}  // namespace tandem::scheduling

#endif  // TANDEM_SERVER_SCHEDULING_DISPATCHER_H_
