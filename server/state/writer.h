// Writer: writes changes to a store for those who must not wait for the disk, on a thread of its own.
//
//   writer.Post({.events = {event}});
//   status = writer.Flush();     // now it is kept
//
// What is posted while the disk is busy is written together, so that a slow disk costs no more than what is different.
// Thread-safe.
#ifndef TANDEM_SERVER_STATE_WRITER_H_
#define TANDEM_SERVER_STATE_WRITER_H_

#include <cstdint>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "engine/mutex.h"
#include "server/state/store.h"
#include "server/sync/cond_var.h"

namespace tandem::state {

class Writer {
 public:
  // `store` must outlive it. `on_error` is told, from the writer's thread, of changes that could not be written: they
  // are lost.
  Writer(StateStore& store, std::function<void(const absl::Status&)> on_error);
  // Writes what waits.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Post(const Changes& changes);
  // Returns when everything posted so far has been written, or why some of it was not.
  absl::Status Flush();

 private:
  void Loop();

  StateStore& store_;
  const std::function<void(const absl::Status&)> on_error_;

  Mutex mutex_;
  CondVar wake_;
  CondVar written_;
  Changes pending_ ABSL_GUARDED_BY(mutex_);
  uint64_t posted_ ABSL_GUARDED_BY(mutex_) = 0;  // times
  uint64_t done_ ABSL_GUARDED_BY(mutex_) = 0;    // of those
  uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;  // the last of those that was lost
  absl::Status error_ ABSL_GUARDED_BY(mutex_);   // of that one
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Adds `later` to `changes`, as if written after them.
void Append(const Changes& later, Changes& changes);

}  // namespace tandem::state

#endif  // TANDEM_SERVER_STATE_WRITER_H_
