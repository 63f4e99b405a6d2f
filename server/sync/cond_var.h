// CondVar: std::condition_variable for the annotated Mutex. Waits may wake without cause: always wait in a loop on the
// condition itself.
//
//   MutexLock lock(mutex_);
//   while (count_ == 0) changed_.Wait(mutex_);
#ifndef TANDEM_SERVER_SYNC_COND_VAR_H_
#define TANDEM_SERVER_SYNC_COND_VAR_H_

#include <condition_variable>
#include <mutex>

#include "engine/mutex.h"
#include "server/sync/time.h"

namespace tandem {

class CondVar {
 public:
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  void Wait(Mutex& mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // Returns at `time` at the latest; Time::max() waits for ever.
  void WaitUntil(Mutex& mutex, Time time) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (time == Time::max()) return Wait(mutex);
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(lock, time);
    lock.release();
  }

 private:
  std::condition_variable condition_;
};

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_COND_VAR_H_
