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
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (stopping_) return absl::UnavailableError("the server is shutting down");
    metrics::VersionMetrics& metrics = request->queue->metrics();
    if (waiting_bytes_ + request->bytes > max_bytes_) {
      metrics.Refused(metrics::Refusal::kQueueBytes);
      return absl::ResourceExhaustedError(absl::StrCat("requests waiting hold ", waiting_bytes_, " of ", max_bytes_,
                                                       " bytes (max_queue_bytes); this one has ", request->bytes));
    }
    const Duration promise = request->queue->Promise(*request, cores_);
    if (request->arrived + promise > request->deadline) {
      metrics.Refused(metrics::Refusal::kDeadline);
      return TooLate(*request, promise);
    }
    if (absl::Status status = request->queue->Push(request); !status.ok()) {
      metrics.Refused(metrics::Refusal::kQueueFull);
      return status;
    }
    waiting_bytes_ += request->bytes;
    AddLoad(1);
    if (request->queue->size() == 1) Activate(request->queue);
    wake = ShouldWake(request->arrived);
    if (wake) ++waking_;
  }
  if (wake) work_.NotifyOne();
  return absl::OkStatus();
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

size_t Dispatcher::Waiting(const Queue& queue) {
  MutexLock lock(mutex_);
  return queue.size();
}

bool Dispatcher::ShouldWake(Time now) {
  // One waking worker at a time: it wakes the next when it finds more than it takes.
  if (idle_ == 0 || waking_ > 0 || FreeCores() == 0) return false;
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
        task = Take(worker, decision, now);
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
    worker.running->Charge(spent.time, spent.rows);
    AddLoad(-1);
  }
  worker.running = nullptr;
  worker.due = Time::max();
  if (worker.forgetting) {
    worker.forgetting = false;
    forgotten_.NotifyAll();
  }
}

int Dispatcher::Busy() {
  const auto runs = [](const Worker& worker) { return worker.running != nullptr; };
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), runs));
}

int Dispatcher::FreeCores() { return std::max(0, cores_ - Busy()); }

Dispatcher::Cores Dispatcher::CoresNow() {
  MutexLock lock(mutex_);
  return {.granted = cores_, .busy = Busy()};
}

void Dispatcher::SetCores(int cores) {
  MutexLock lock(mutex_);
  cores_ = std::clamp(cores, 1, num_workers_);
  work_.NotifyAll();
}

Decision Dispatcher::DecideNow(Time now) {
  const int free_cores = FreeCores();
  if (free_cores == 0) return {};
  views_.clear();
  for (const auto& queue : active_) views_.push_back(queue->View());
  return batching::Decide(views_, now, std::min(idle_ + 1, free_cores));
}

Task Dispatcher::Take(Worker& worker, const Decision& decision, Time now) {
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
  AddLoad(1 - static_cast<int>(task.requests.size()));
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
  const auto done = [](const Worker& w) { return w.gone || (w.to_forget.empty() && !w.forgetting); };
  while (!std::all_of(workers_.begin(), workers_.end(), done)) forgotten_.Wait(mutex_);
}

void Dispatcher::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  work_.NotifyAll();
}

}  // namespace tandem::scheduling
