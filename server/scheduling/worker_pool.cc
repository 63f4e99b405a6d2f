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
