// Semaphore: a count that threads raise and wait for. Raising it never waits for anybody, not even for a thread that is
// about to wait, unlike a condition variable: for signals to threads of low priority.
#ifndef TANDEM_SERVER_SYNC_SEMAPHORE_H_
#define TANDEM_SERVER_SYNC_SEMAPHORE_H_

#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include "server/sync/time.h"

namespace tandem {

class Semaphore {
 public:
  Semaphore() { sem_init(&semaphore_, /*pshared=*/0, 0); }
  ~Semaphore() { sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void Raise() { sem_post(&semaphore_); }
  // Takes one off, once there is one.
  void Wait() {
    while (sem_wait(&semaphore_) != 0 && errno == EINTR) continue;
  }
  // As Wait, but returns at `time` at the latest.
  void WaitUntil(Time time) {
    const int64_t ns = time.time_since_epoch().count();
    const timespec until{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    while (sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) continue;
  }

 private:
  sem_t semaphore_;
};

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_SEMAPHORE_H_
