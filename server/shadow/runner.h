// Runner: compares the two variants of versions on a share of the live requests, after they have been answered.
//
//   runner.Offer(std::move(job));     // from whatever thread answered: never waits
//
// One thread, which the system runs only when nobody else wants a core, takes jobs from a bounded queue, has the other
// variant compute them in a session of its own, and hands the comparison to the ledger of the pair and to the promoter.
// While requests wait for workers it waits too, except for jobs that must run: these go to the workers like a client's
// request, so that a busy server does not stop watching. Jobs that find no room, or wait too long and would keep their
// version in memory, are dropped and counted. Thread-safe.
#ifndef TANDEM_SERVER_SHADOW_RUNNER_H_
#define TANDEM_SERVER_SHADOW_RUNNER_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
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

namespace tandem::shadow {

struct RunnerOptions {
  size_t max_jobs = 256;
  size_t max_bytes = size_t{64} << 20;               // of requests and answers that wait
  Duration max_age = std::chrono::seconds(5);        // of a job
  Duration save_interval = std::chrono::seconds(1);  // how often new evidence is kept
};

class Runner {
 public:
  // All must outlive the runner.
  Runner(const RunnerOptions& options, scheduling::Dispatcher& dispatcher, evidence::Ledgers& ledgers,
         Promoter& promoter, Outcomes& outcomes);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  void Start();
  // Ends the thread and keeps the evidence; the dispatcher's workers must still run. What waits is dropped.
  void Stop();

  void Offer(Job job);
  // Returns when every job offered so far has been dealt with.
  void Flush();
  // Drops what is held of `model`, of which no job is left.
  void Forget(const engine::Model& model);

 private:
  void Loop();
  // Waits for the next job that may run now; none: the runner stops.
  std::optional<Job> Next();
  std::optional<Job> TakeRunnable(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOld(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Job Take(std::deque<Job>::iterator job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run(const Job& job);
  // Both fill `replay`.
  void RunHere(Replay& replay);
  void RunByWorkers(Replay& replay);
  void CountDropped(const Job& job);

  const RunnerOptions options_;
  scheduling::Dispatcher& dispatcher_;
  evidence::Ledgers& ledgers_;
  Promoter& promoter_;
  Outcomes& outcomes_;
  std::thread thread_;

  // Of the runner's thread.
  metrics::VersionMetrics nowhere_{0};  // counts of runs that are nobody's business
  Time saved_{};

  Mutex session_mutex_;  // against Forget
  engine::Session session_ ABSL_GUARDED_BY(session_mutex_){engine::SessionOptions{.threads = 1}};

  Mutex mutex_;
  CondVar wake_;     // a job was offered, a worker has answered, or Stop was called
  CondVar flushed_;  // nothing waits and nothing runs
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;  // by a worker
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_RUNNER_H_
