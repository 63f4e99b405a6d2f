// Writer: writes changes to a store for those who must not wait for the disk, on a thread of its own.
//
//   writer.Post({.events = {event}});             // returns at once
//   status = writer.Write({.events = {event}});   // returns when it is kept, as is all that was posted before
//
// What is posted while the disk is busy is written together, so that a slow disk costs no more than what is different.
// Thread-safe.
#ifndef TANDEM_SERVER_STATE_WRITER_H_
#define TANDEM_SERVER_STATE_WRITER_H_

#include <cstdint>
#include <functional>
#include <memory>
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
  // Why they could not be written, if so.
  absl::Status Write(const Changes& changes);
  // How often something could not be written.
  uint64_t losses() const;

 private:
  // Changes that are written together.
  struct Batch {
    Changes changes;
    bool done = false;
    absl::Status status;
  };

  std::shared_ptr<Batch> PostLocked(const Changes& changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Loop();

  StateStore& store_;
  const std::function<void(const absl::Status&)> on_error_;

  mutable Mutex mutex_;
  CondVar wake_;
  CondVar written_;
  std::shared_ptr<Batch> waiting_ ABSL_GUARDED_BY(mutex_);  // null: nothing waits
  uint64_t losses_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Adds `later` to `changes`, as if written after them.
void Append(const Changes& later, Changes& changes);

}  // namespace tandem::state

#endif  // TANDEM_SERVER_STATE_WRITER_H_
