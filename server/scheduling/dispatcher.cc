#include "server/scheduling/dispatcher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tandem::scheduling {

using batching::Decision;
using batching::Queue;
using batching::QueueView;
using batching::Request;

namespace {

// What answering one request costs beside the model.
constexpr Duration kAnswerCost = std::chrono::microseconds(5);

absl::Status TooLate(const Request& request, Duration promise) {
  const auto ms = [](Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
  return absl::ResourceExhaustedError(
      absl::StrFormat("%s: an answer would take about %.1f ms, and the deadline is in %.1f ms",
                      request.queue->options().name, ms(promise), ms(request.deadline - request.arrived)));
}

}  // namespace

absl::Status Dispatcher::Submit(Request* request) {
  bool wake = false, wide = false, late = false;
  {
    MutexLock lock(mutex_);
    if (stopping_) return absl::UnavailableError("the server is shutting down");
    metrics::VersionMetrics& metrics = request->queue->metrics();
    if (waiting_bytes_ + request->bytes > max_bytes_) {
      metrics.Refused(metrics::Refusal::kQueueBytes);
      return absl::ResourceExhaustedError(absl::StrCat("requests waiting hold ", waiting_bytes_, " of ", max_bytes_,
                                                       " bytes (max_queue_bytes); this one has ", request->bytes));
    }
    const Duration promise = request->queue->Promise(*request, cores_, WorkBeside(*request->queue));
    if (request->arrived + promise > request->deadline) {
      metrics.Refused(metrics::Refusal::kDeadline);
      return TooLate(*request, promise);
    }
    if (absl::Status status = request->queue->Push(request); !status.ok()) {
      metrics.Refused(metrics::Refusal::kQueueFull);
      return status;
    }
    const bool alone = Idle();
    waiting_bytes_ += request->bytes;
    AddLoad(1);
    if (request->queue->size() == 1) Activate(request->queue);
    wide = GoWide(*request, alone);
    late = !wide && request->start_by < next_late_;
    if (late) next_late_ = request->start_by;
    wake = !wide && ShouldWake(request->arrived);
    if (wake) ++waking_;
  }
  if (wide) wide_work_.NotifyOne();
  if (late) late_.NotifyOne();
  if (wake) work_.NotifyOne();
  return absl::OkStatus();
}

bool Dispatcher::GoWide(const Request& request, bool alone) {
  if (wide_threads_ == 0) return false;
  const Time now = request.arrived;
  if (!alone) {
    // What has been answered and is not yet taken back does not count: its client may be the one that sends this.
    if (Computes(now) || active_.size() > 1 || request.queue->size() > 1) gate_.Crowded(now);
    return false;
  }
  const batching::BatchLimits& limits = request.queue->options().batch;
  const bool waits_for_company = limits.max_delay.count() > 0 && limits.max_rows > request.rows;
  const batching::WideCost* const cost = request.queue->CostWide(request.rows);
  if (waits_for_company || cost == nullptr || FreeCores() < wide_threads_ || !gate_.Open(now, *cost)) return false;
  wide_task_ = Take(workers_.back(), wide_threads_, {.queue = 0, .rows = request.rows}, now);
  workers_.back().due = now + cost->wide;
  wide_cost_ = cost;
  return true;
}

bool Dispatcher::Computes(Time now) {
  const auto computes = [now](const Worker& worker) { return worker.running != nullptr && worker.due > now; };
  return std::any_of(workers_.begin(), workers_.end(), computes);
}

Task Dispatcher::NextWide() {
  MutexLock lock(mutex_);
  Worker& worker = workers_.back();
  if (std::exchange(worker.forgetting, false)) forgotten_.NotifyAll();
  while (true) {
    if (wide_task_.queue != nullptr) return std::exchange(wide_task_, {});
    Task task;
    if (!worker.to_forget.empty()) {
      worker.forgetting = true;
      task.forget = std::exchange(worker.to_forget, {});
      return task;
    }
    if (stopping_) {
      worker.gone = true;
      forgotten_.NotifyAll();
      return task;
    }
    wide_work_.Wait(mutex_);
  }
}

void Dispatcher::FinishWide(Task done) {
  bool wake = false;
  {
    MutexLock lock(mutex_);
    const Time now = Now();
    gate_.Ran(now, done.spent.time, *wide_cost_);
    Finished(workers_.back(), done.spent);
    done = Task{};
    wake = !active_.empty() && ShouldWake(now);
    if (wake) ++waking_;
  }
  if (wake) work_.NotifyOne();
}

void Dispatcher::Activate(const std::shared_ptr<Queue>& queue) {
  // A queue that was idle joins at the level of the least served of the busy ones.
  Duration level = Duration::max();
  for (const auto& active : active_) level = std::min(level, active->service_time());
  for (const Worker& worker : workers_) {
    if (worker.running != nullptr) level = std::min(level, worker.running->service_time());
  }
  if (level != Duration::max()) queue->JoinAt(level);
  active_.push_back(queue);
}

bool Dispatcher::Withdraw(Request* request) {
  MutexLock lock(mutex_);
  if (!request->queue->Remove(request)) return false;
  waiting_bytes_ -= request->bytes;
  AddLoad(-1);
  if (request->queue->empty()) std::erase(active_, request->queue);
  return true;
}

Duration Dispatcher::WorkBeside(const Queue& queue) {
  const Duration own = queue.WaitingWork();
  Duration beside{0};
  for (const auto& other : active_) {
    if (other.get() != &queue) beside += std::min(own, other->WaitingWork());
  }
  return beside;
}

Dispatcher::Late Dispatcher::TakeLate(Time now) {
  Late late;
  MutexLock lock(mutex_);
  for (const auto& queue : active_) {
    for (Request* request : queue->TakeLate(now)) {
      waiting_bytes_ -= request->bytes;
      late.requests.push_back(request);
    }
    late.next = std::min(late.next, queue->NextLate());
  }
  AddLoad(-static_cast<int>(late.requests.size()));
  std::erase_if(active_, [](const auto& queue) { return queue->empty(); });
  next_late_ = late.next;
  return late;
}

bool Dispatcher::WaitForLate(Time until) {
  MutexLock lock(mutex_);
  while (!stopping_ && Now() < until && next_late_ >= until) late_.WaitUntil(mutex_, until);
  return !stopping_;
}

size_t Dispatcher::Waiting(const Queue& queue) {
  MutexLock lock(mutex_);
  return queue.size();
}

bool Dispatcher::ShouldWake(Time now) {
  // One waking worker at a time: it wakes the next when it finds more than it takes.
  if (idle_ == 0 || waking_ > 0) return false;
  if (FreeCores() == 0) {
    const auto may_run = [](const auto& queue) { return batching::MayRunBesideWide(queue->View()); };
    return SharedCores() > 0 && std::any_of(active_.begin(), active_.end(), may_run);
  }
  Time free_at = Time::max();
  for (const Worker& worker : workers_) free_at = std::min(free_at, worker.due);
  Duration cost{0};
  for (const auto& queue : active_) {
    const Duration row = queue->options().batch.row_cost;
    if (row.count() == 0) return true;
    cost += (row + kAnswerCost) * static_cast<int64_t>(queue->size());
  }
  return batching::WorthWaking(cost, free_at, now);
}

Task Dispatcher::Next(int id, Task last) {
  Task task;
  bool wake = false;
  {
    MutexLock lock(mutex_);
    Worker& worker = workers_[id];
    Finished(worker, last.spent);
    last = Task{};
    while (true) {
      if (!worker.to_forget.empty()) {
        worker.forgetting = true;
        task.forget = std::exchange(worker.to_forget, {});
        return task;
      }
      const Time now = Now();
      const Decision decision = DecideNow(now);
      if (decision.queue >= 0) {
        task = Take(worker, 1, decision, now);
        wake = !active_.empty() && ShouldWake(now);
        if (wake) ++waking_;
        break;
      }
      if (stopping_) {
        worker.gone = true;
        forgotten_.NotifyAll();
        return task;
      }
      ++idle_;
      work_.WaitUntil(mutex_, decision.wake_at);
      --idle_;
      if (waking_ > 0) --waking_;
    }
  }
  if (wake) work_.NotifyOne();
  return task;
}

void Dispatcher::Finished(Worker& worker, const Spent& spent) {
  if (worker.running != nullptr) {
    // Rows that ran wide say nothing of what they take on one core.
    worker.running->Charge(spent.time * worker.cores, worker.cores > 1 ? 0 : spent.rows);
    AddLoad(-worker.cores);
  }
  worker.running = nullptr;
  worker.cores = 0;
  worker.due = Time::max();
  if (worker.forgetting) {
    worker.forgetting = false;
    forgotten_.NotifyAll();
  }
}

int Dispatcher::Busy() {
  int busy = 0;
  for (const Worker& worker : workers_) busy += worker.cores;
  return busy;
}

int Dispatcher::FreeCores() { return std::max(0, cores_ - Busy()); }

int Dispatcher::SharedCores() {
  const int shared = wide_threads_ > 0 ? std::max(0, workers_.back().cores - 1) : 0;
  return std::clamp(cores_ - Busy() + shared, 0, shared);
}

Dispatcher::Cores Dispatcher::CoresNow() {
  MutexLock lock(mutex_);
  return {.granted = cores_, .busy = std::min(cores_, Busy())};
}

void Dispatcher::SetCores(int cores) {
  MutexLock lock(mutex_);
  cores_ = std::clamp(cores, 1, num_workers_);
  work_.NotifyAll();
}

Decision Dispatcher::DecideNow(Time now) {
  const int free_cores = FreeCores();
  const int cores = free_cores > 0 ? free_cores : SharedCores();
  if (cores == 0) return {};
  views_.clear();
  viewed_.clear();
  for (int i = 0; i < static_cast<int>(active_.size()); ++i) {
    const QueueView view = active_[i]->View();
    if (free_cores == 0 && !batching::MayRunBesideWide(view)) continue;
    views_.push_back(view);
    viewed_.push_back(i);
  }
  Decision decision = batching::Decide(views_, now, std::min(idle_ + 1, cores));
  if (decision.queue >= 0) decision.queue = viewed_[decision.queue];
  return decision;
}

Task Dispatcher::Take(Worker& worker, int cores, const Decision& decision, Time now) {
  Task task;
  task.queue = active_[decision.queue];
  task.requests = task.queue->Cut(decision.rows, now);
  int64_t rows = 0;
  for (const Request* request : task.requests) {
    waiting_bytes_ -= request->bytes;
    rows += request->rows;
  }
  if (task.queue->empty()) active_.erase(active_.begin() + decision.queue);
  worker.running = task.queue.get();
  worker.cores = cores;
  AddLoad(cores - static_cast<int>(task.requests.size()));
  const Duration row_cost = task.queue->options().batch.row_cost;
  if (row_cost.count() > 0) {
    worker.due = now + row_cost * rows + kAnswerCost * static_cast<int64_t>(task.requests.size());
  }
  return task;
}

void Dispatcher::Forget(const engine::Model& model) {
  MutexLock lock(mutex_);
  for (Worker& worker : workers_) worker.to_forget.push_back(&model);
  work_.NotifyAll();
  wide_work_.NotifyAll();
  const auto done = [](const Worker& w) { return w.gone || (w.to_forget.empty() && !w.forgetting); };
  while (!std::all_of(workers_.begin(), workers_.end(), done)) forgotten_.Wait(mutex_);
}

void Dispatcher::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  work_.NotifyAll();
  wide_work_.NotifyAll();
  late_.NotifyAll();
}

}  // namespace tandem::scheduling
