// Threads that yield to those that serve requests.
#ifndef TANDEM_SERVER_SYNC_BACKGROUND_H_
#define TANDEM_SERVER_SYNC_BACKGROUND_H_

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace tandem {

// Names the calling thread and gives it a niceness (setpriority(2)), which threads that it starts inherit. 10 is a
// tenth of the share that an ordinary thread has of a core that both want; 19 next to none.
//
// Niceness alone lets the thread keep its core for some milliseconds once it has it. It asks for the shortest slice
// (sched_setattr(2)), after which a thread that a request has woken gets the core: Linux 6.12 and newer heed that,
// older ones did not make threads wait so.
inline void EnterBackground(const char* name, int niceness) {
  pthread_setname_np(pthread_self(), name);
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  setpriority(PRIO_PROCESS, thread, niceness);
  // The first version of sched_attr. Distributions differ in which header declares it, if any.
  struct {
    uint32_t size = 48, policy = 0;  // SCHED_OTHER
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t slice_ns = 100'000, deadline = 0, period = 0;
  } attributes;
  static_assert(sizeof(attributes) == 48);
  attributes.nice = niceness;
  syscall(SYS_sched_setattr, thread, &attributes, 0U);
}

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_BACKGROUND_H_
