#include "server/shadow/runner.h"

#include <pthread.h>
#include <sched.h>

#include <utility>
#include <vector>

#include "server/scheduling/run_batch.h"

namespace tandem::shadow {
namespace {

// How soon a job that was put off is looked at again.
constexpr Duration kRetry = std::chrono::milliseconds(5);

// How far behind the thread may be before what must run goes to the workers instead.
constexpr Duration kPatience = std::chrono::milliseconds(100);

// The system runs this thread only when nobody else wants a core.
void YieldToAll() {
  pthread_setname_np(pthread_self(), "shadow");
  const sched_param parameters{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters);
}

}  // namespace

class Runner::Errand {
 public:
  Errand(Runner& runner, Job job) : runner_(runner), job_(std::move(job)), replay_(job_, [this] { ComeBack(); }) {}

  // Once it is accepted it deletes itself when the workers have run it.
  static bool Send(std::unique_ptr<Errand> errand, Job& rejected) {
    if (errand->runner_.dispatcher_.Submit(&errand->replay_).ok()) {
      static_cast<void>(errand.release());
      return true;
    }
    rejected = std::move(errand->job_);
    return false;
  }

 private:
  void ComeBack() {
    Runner& runner = runner_;
    const auto ledger = runner.ledgers_.Find(PairOf(job_));
    if (ledger != nullptr && ledger->IsNew(HashOfInputs(job_))) runner.Finish(job_, replay_, *ledger);
    delete this;
    runner.errands_.fetch_sub(1);
    runner.errands_.notify_all();
  }

  Runner& runner_;
  Job job_;
  Replay replay_;
};

Runner::Runner(const RunnerOptions& options, scheduling::Dispatcher& dispatcher, evidence::Ledgers& ledgers,
               Promoter& promoter, Outcomes& outcomes)
    : options_(options), dispatcher_(dispatcher), ledgers_(ledgers), promoter_(promoter), outcomes_(outcomes) {}

Runner::~Runner() { Stop(); }

void Runner::Start() { thread_ = std::thread(&Runner::Loop, this); }

void Runner::Stop() {
  stopping_.store(true);
  if (!thread_.joinable()) return;
  offered_.Raise();
  thread_.join();
  for (int left = errands_.load(); left > 0; left = errands_.load()) errands_.wait(left);
  ledgers_.Save();
}

bool Runner::Offer(Job& job) {
  if (stopping_.load() || !MayReplay(job)) return false;
  if (job.must_run && !dispatcher_.HasIdleWorker()) return SendToWorkers(job);
  if (!mutex_.TryLock()) return job.must_run && SendToWorkers(job);
  // The system does not let the thread run: other processes want the cores.
  const bool behind = !jobs_.empty() && job.answered - jobs_.front().answered > kPatience;
  const bool taken = HasRoom(job) && !(behind && job.must_run);
  const bool first = jobs_.empty();
  if (taken) {
    bytes_ += job.bytes;
    jobs_.push_back(std::move(job));
  }
  mutex_.Unlock();
  if (taken && first) offered_.Raise();
  return taken || (behind && job.must_run && SendToWorkers(job));
}

bool Runner::HasRoom(const Job& job) const {
  return jobs_.size() < options_.max_jobs && bytes_ + job.bytes <= options_.max_bytes;
}

bool Runner::SendToWorkers(Job& job) {
  // Counted before it is looked whether to stop: Stop waits for those that it does not keep from leaving.
  errands_.fetch_add(1);
  if (!stopping_.load() && Errand::Send(std::make_unique<Errand>(*this, std::move(job)), job)) return true;
  errands_.fetch_sub(1);
  errands_.notify_all();
  return false;
}

void Runner::Flush() {
  for (int left = errands_.load(); left > 0; left = errands_.load()) errands_.wait(left);
  MutexLock lock(mutex_);
  while (!stopping_.load() && (!jobs_.empty() || running_)) flushed_.Wait(mutex_);
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
  while (!stopping_.load()) {
    if (std::optional<Job> job = TakeNext()) return job;
    bool waits = false;
    {
      MutexLock lock(mutex_);
      running_ = false;
      waits = !jobs_.empty();
      if (!waits) flushed_.NotifyAll();
    }
    if (waits) {
      offered_.WaitUntil(Now() + kRetry);
    } else {
      offered_.Wait();
    }
  }
  MutexLock lock(mutex_);
  running_ = false;
  flushed_.NotifyAll();
  jobs_.clear();
  return std::nullopt;
}

std::optional<Job> Runner::TakeNext() {
  MutexLock lock(mutex_);
  DropOld(Now());
  if (jobs_.empty() || !dispatcher_.HasIdleWorker()) return std::nullopt;
  running_ = true;
  return TakeFirst();
}

void Runner::DropOld(Time now) {
  while (!jobs_.empty() && now - jobs_.front().answered > options_.max_age) {
    const Job job = TakeFirst();
    if (const auto ledger = ledgers_.Find(PairOf(job))) ledger->AddDropped();
  }
}

Job Runner::TakeFirst() {
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  bytes_ -= job.bytes;
  return job;
}

void Runner::Run(const Job& job) {
  const std::shared_ptr<evidence::Ledger> ledger = ledgers_.Find(PairOf(job));
  if (ledger == nullptr || !ledger->IsNew(HashOfInputs(job))) return;
  Replay replay(job);
  RunHere(replay);
  Finish(job, replay, *ledger);
}

void Runner::RunHere(Replay& replay) {
  MutexLock lock(session_mutex_);
  std::vector<batching::Request*> batch = {&replay};
  replay.StartThreadClock();
  scheduling::RunBatch(session_, *replay.queue, batch, nowhere_.receiver());
}

void Runner::Finish(const Job& job, const Replay& replay, evidence::Ledger& ledger) {
  if (!replay.comparison().ok()) return ledger.AddDropped();
  ledger.Add(*replay.comparison());
  if (!job.id.empty()) outcomes_.Compared(job.version->model_name, job.id, replay.other_answer());
  if (job.candidate != nullptr) {
    promoter_.TellNews(PairOf(job), ledger);
  } else {
    promoter_.Consider(*job.version);
  }
}

}  // namespace tandem::shadow
