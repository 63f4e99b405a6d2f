// Runner: compares the two variants of a version, or two versions, on a share of the live requests, after they have
// been answered.
//
//   if (!runner.Offer(job)) variant.queue->metrics().NotCompared();   // from whatever thread answered
//
// One thread, which the system runs only when nobody else wants a core, takes jobs from a bounded queue, has the other
// variant compute them in a session of its own, and hands the comparison to the ledger of the pair and to the promoter.
// It works only while a worker is free. Jobs that must run go to the workers when all of them are busy or the thread is
// behind, like a client's request, so that a busy server does not stop watching. Jobs that find no room, or wait too
// long and would keep their version in memory, are dropped.
//
// Such a thread may be put off for long while it holds a lock, so those who answer clients never wait for one of its
// locks: they try, and drop the job. Thread-safe.
#ifndef TANDEM_SERVER_SHADOW_RUNNER_H_
#define TANDEM_SERVER_SHADOW_RUNNER_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "engine/model.h"
#include "engine/mutex.h"
#include "engine/session.h"
#include "server/evidence/ledgers.h"
#include "server/metrics/version_metrics.h"
#include "server/scheduling/dispatcher.h"
#include "server/shadow/job.h"
#include "server/shadow/outcomes.h"
#include "server/shadow/promoter.h"
#include "server/shadow/replay.h"
#include "server/sync/cond_var.h"
#include "server/sync/semaphore.h"

namespace tandem::shadow {

struct RunnerOptions {
  size_t max_jobs = 256;
  size_t max_bytes = size_t{64} << 20;               // of requests and answers that wait
  Duration max_age = std::chrono::seconds(5);        // of a job
  Duration save_interval = std::chrono::seconds(5);  // how often new evidence is kept
};

class Runner {
 public:
  // All must outlive the runner, which must outlive the dispatcher's workers.
  Runner(const RunnerOptions& options, scheduling::Dispatcher& dispatcher, evidence::Ledgers& ledgers,
         Promoter& promoter, Outcomes& outcomes);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  void Start();
  // Ends the thread and keeps the evidence; the dispatcher's workers must still run. What waits is dropped.
  void Stop();

  // Takes the job, or returns false and leaves it: there is no room, the thread is looking at the queue right now, or
  // the other variant would not take the request.
  bool Offer(Job& job);
  // Returns when every job that was taken has been dealt with.
  void Flush();
  // Drops what is held of `model`, of which no job is left.
  void Forget(const engine::Model& model);

 private:
  // A job on its way through the dispatcher.
  class Errand;

  void Loop();
  // Waits for the next job that may run now; none: the runner stops.
  std::optional<Job> Next();
  std::optional<Job> TakeNext();
  void DropOld(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Job TakeFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasRoom(const Job& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run(const Job& job);
  void RunHere(Replay& replay);
  bool SendToWorkers(Job& job);
  // The other variant has run, or could not.
  void Finish(const Job& job, const Replay& replay, evidence::Ledger& ledger);

  const RunnerOptions options_;
  scheduling::Dispatcher& dispatcher_;
  evidence::Ledgers& ledgers_;
  Promoter& promoter_;
  Outcomes& outcomes_;
  std::thread thread_;

  std::atomic<bool> stopping_{false};
  std::atomic<int> errands_{0};  // that have not come back
  Semaphore offered_;            // raised when the queue is no longer empty, and by Stop

  // Of the runner's thread.
  metrics::VersionMetrics nowhere_{0};  // counts of runs that are nobody's business
  Time saved_{};

  Mutex session_mutex_;  // against Forget
  engine::Session session_ ABSL_GUARDED_BY(session_mutex_){engine::SessionOptions{.threads = 1}};

  Mutex mutex_;
  CondVar flushed_;  // nothing waits and nothing runs
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_RUNNER_H_
