// Threads that yield to those that serve requests.
#ifndef TANDEM_SERVER_SYNC_BACKGROUND_H_
#define TANDEM_SERVER_SYNC_BACKGROUND_H_

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tandem {

// Names the calling thread and gives it a niceness (setpriority(2)), which threads that it starts inherit. 10 is a
// tenth of the share that an ordinary thread has of a core that both want; 19 next to none.
inline void EnterBackground(const char* name, int niceness) {
  pthread_setname_np(pthread_self(), name);
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), niceness);
}

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_BACKGROUND_H_
