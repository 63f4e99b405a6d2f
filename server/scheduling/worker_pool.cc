#include "server/scheduling/worker_pool.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "server/scheduling/run_batch.h"

namespace tandem::scheduling {
namespace {

void Work(Dispatcher& dispatcher, int id) {
  pthread_setname_np(pthread_self(), absl::StrCat("worker-", id).c_str());
  engine::Session session({.threads = 1});
  Task task;
  while (true) {
    task = dispatcher.Next(id, std::move(task));
    if (!task.forget.empty()) {
      for (const engine::Model* model : task.forget) session.Forget(*model);
    } else if (task.queue != nullptr) {
      task.spent = RunBatch(session, *task.queue, task.requests, task.queue->metrics().worker(id));
    } else {
      return;
    }
  }
}

// One thread of the process leads a team, as OpenMP keeps one for each that does.
void WorkWide(Dispatcher& dispatcher) {
  pthread_setname_np(pthread_self(), "wide");
  engine::Session session({.threads = dispatcher.wide_threads()});
  while (true) {
    Task task = dispatcher.NextWide();
    if (!task.forget.empty()) {
      for (const engine::Model* model : task.forget) session.Forget(*model);
    } else if (task.queue != nullptr) {
      task.spent = RunBatch(session, *task.queue, task.requests, task.queue->metrics().wide());
      dispatcher.FinishWide(std::move(task));
      // Else it would spin for milliseconds on cores that are wanted.
      session.DismissTeam();
    } else {
      return;
    }
  }
}

// Refuses what has waited too long, at its moment.
void WatchLate(Dispatcher& dispatcher) {
  pthread_setname_np(pthread_self(), "timer");
  Time next = Time::max();
  while (dispatcher.WaitForLate(next)) {
    const Time now = Now();
    const Dispatcher::Late late = dispatcher.TakeLate(now);
    for (batching::Request* request : late.requests) RefuseLate(request, now);
    next = late.next;
  }
}

}  // namespace

WorkerPool::WorkerPool(Dispatcher& dispatcher) : dispatcher_(dispatcher) {
  for (int id = 0; id < dispatcher.num_workers(); ++id) {
    threads_.emplace_back([&dispatcher, id] { Work(dispatcher, id); });
  }
  if (dispatcher.wide_threads() > 0) threads_.emplace_back([&dispatcher] { WorkWide(dispatcher); });
  threads_.emplace_back([&dispatcher] { WatchLate(dispatcher); });
}

WorkerPool::~WorkerPool() {
  dispatcher_.Stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace tandem::scheduling
