// UnseenOrder: tells the thread sanitizer of an order between two threads that it cannot see.
//
// gRPC hands a call from the thread that finishes it to the one that reads the completion queue. The distribution's
// gRPC is not built for the sanitizer, which would take what we do with the call on both sides for a race. These are no
// synchronization: outside of its build they are nothing.
#ifndef TANDEM_SERVER_SYNC_UNSEEN_ORDER_H_
#define TANDEM_SERVER_SYNC_UNSEEN_ORDER_H_

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace tandem {

// Everything before this comes before what follows UnseenOrderEnds of the same object.
inline void UnseenOrderBegins([[maybe_unused]] void* object) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(object);
#endif
}

inline void UnseenOrderEnds([[maybe_unused]] void* object) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(object);
#endif
}

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_UNSEEN_ORDER_H_
