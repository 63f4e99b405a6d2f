#include "server/shadow/runner.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "server/scheduling/run_batch.h"

namespace tandem::shadow {
namespace {

// How soon a job that was put off is looked at again.
constexpr Duration kRetry = std::chrono::milliseconds(5);

evidence::Pair PairOf(const Job& job) { return evidence::VariantsOf(job.version->model_name, job.version->number); }

// The system runs this thread only when nobody else wants a core.
void YieldToAll() {
  pthread_setname_np(pthread_self(), "shadow");
  const sched_param parameters{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters);
}

}  // namespace

Runner::Runner(const RunnerOptions& options, scheduling::Dispatcher& dispatcher, evidence::Ledgers& ledgers,
               Promoter& promoter, Outcomes& outcomes)
    : options_(options), dispatcher_(dispatcher), ledgers_(ledgers), promoter_(promoter), outcomes_(outcomes) {}

Runner::~Runner() { Stop(); }

void Runner::Start() { thread_ = std::thread(&Runner::Loop, this); }

void Runner::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  ledgers_.Save();
}

void Runner::Offer(Job job) {
  bool dropped = false;
  {
    MutexLock lock(mutex_);
    dropped = stopping_ || jobs_.size() >= options_.max_jobs || bytes_ + job.bytes > options_.max_bytes;
    if (!dropped) {
      bytes_ += job.bytes;
      jobs_.push_back(std::move(job));
      wake_.NotifyAll();
    }
  }
  if (dropped) CountDropped(job);
}

void Runner::Flush() {
  MutexLock lock(mutex_);
  while (!stopping_ && (!jobs_.empty() || running_)) flushed_.Wait(mutex_);
}

void Runner::Forget(const engine::Model& model) {
  MutexLock lock(session_mutex_);
  session_.Forget(model);
}

void Runner::Loop() {
  YieldToAll();
  while (std::optional<Job> job = Next()) {
    Run(*job);
    job.reset();  // its version may end here
    const Time now = Now();
    if (now - saved_ < options_.save_interval) continue;
    saved_ = now;
    ledgers_.Save();
  }
}

std::optional<Job> Runner::Next() {
  MutexLock lock(mutex_);
  running_ = false;
  while (!stopping_) {
    const Time now = Now();
    DropOld(now);
    if (std::optional<Job> job = TakeRunnable(now)) {
      running_ = true;
      return job;
    }
    if (jobs_.empty()) flushed_.NotifyAll();
    wake_.WaitUntil(mutex_, jobs_.empty() ? Time::max() : now + kRetry);
  }
  flushed_.NotifyAll();
  jobs_.clear();
  return std::nullopt;
}

void Runner::DropOld(Time now) {
  while (!jobs_.empty() && now - jobs_.front().answered > options_.max_age) {
    const Job job = Take(jobs_.begin());
    CountDropped(job);
  }
}

std::optional<Job> Runner::TakeRunnable(Time) {
  if (jobs_.empty()) return std::nullopt;
  if (dispatcher_.HasIdleWorker()) return Take(jobs_.begin());
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.must_run; });
  if (found == jobs_.end()) return std::nullopt;
  return Take(found);
}

Job Runner::Take(std::deque<Job>::iterator at) {
  Job job = std::move(*at);
  jobs_.erase(at);
  bytes_ -= job.bytes;
  return job;
}

void Runner::Run(const Job& job) {
  const std::shared_ptr<evidence::Ledger> ledger = ledgers_.Find(PairOf(job));
  if (ledger == nullptr || !ledger->IsNew(HashOfInputs(job))) return;
  Replay replay(job, [this] {
    MutexLock lock(mutex_);
    answered_ = true;
    wake_.NotifyAll();
  });
  if (job.must_run && !dispatcher_.HasIdleWorker()) {
    RunByWorkers(replay);
  } else {
    RunHere(replay);
  }
  if (!replay.comparison().ok()) return ledger->AddDropped();
  ledger->Add(*replay.comparison());
  if (!job.id.empty()) outcomes_.Compared(job.version->model_name, job.id, replay.other_answer());
  promoter_.Consider(job.version->model_name, job.version->number);
}

void Runner::RunHere(Replay& replay) {
  MutexLock lock(session_mutex_);
  std::vector<batching::Request*> batch = {&replay};
  replay.StartThreadClock();
  scheduling::RunBatch(session_, *replay.queue, batch, nowhere_.receiver());
}

void Runner::RunByWorkers(Replay& replay) {
  {
    MutexLock lock(mutex_);
    answered_ = false;
  }
  if (!dispatcher_.Submit(&replay).ok()) return;
  MutexLock lock(mutex_);
  while (!answered_) wake_.Wait(mutex_);
}

void Runner::CountDropped(const Job& job) {
  if (const std::shared_ptr<evidence::Ledger> ledger = ledgers_.Find(PairOf(job))) ledger->AddDropped();
}

}  // namespace tandem::shadow
