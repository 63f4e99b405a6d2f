#include "server/scheduling/worker_pool.h"

#include <pthread.h>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "server/scheduling/run_batch.h"

namespace tandem::scheduling {
namespace {

void Work(Dispatcher& dispatcher, int id) {
  pthread_setname_np(pthread_self(), absl::StrCat("worker-", id).c_str());
  engine::Session session({.threads = 1});
  Duration spent{0};
  Task task;  // keeps the queue alive until the dispatcher has been told that its batch ended
  while (true) {
    task = dispatcher.Next(id, spent);
    spent = Duration{0};
    if (!task.forget.empty()) {
      for (const engine::Model* model : task.forget) session.Forget(*model);
    } else if (task.queue != nullptr) {
      spent = RunBatch(session, *task.queue, task.requests, task.queue->metrics().worker(id));
    } else {
      return;
    }
  }
}

}  // namespace

WorkerPool::WorkerPool(Dispatcher& dispatcher) : dispatcher_(dispatcher) {
  for (int id = 0; id < dispatcher.num_workers(); ++id) {
    threads_.emplace_back([&dispatcher, id] { Work(dispatcher, id); });
  }
}

WorkerPool::~WorkerPool() {
  dispatcher_.Stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace tandem::scheduling
