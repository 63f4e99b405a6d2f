// Arena: the memory that one session's plans run in.
//
// A range of addresses is reserved once and made usable as far as plans need it, so that growing never moves what is
// bound to it. Belongs to one thread at a time.
#ifndef TANDEM_ENGINE_COMPILE_ARENA_H_
#define TANDEM_ENGINE_COMPILE_ARENA_H_

#include <cstddef>
#include <utility>

#include "absl/status/status.h"

namespace tandem::engine {

class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Makes the first `bytes` bytes usable. RESOURCE_EXHAUSTED when the system does not give them.
  absl::Status Grow(size_t bytes);

  // Aligned to a page; fixed for the arena's life.
  char* base() const { return base_; }
  size_t size() const { return size_; }
  // The most that Grow was asked for since this was last called; 0 when it was not.
  size_t TakeAsked() { return std::exchange(asked_, 0); }

 private:
  char* base_ = nullptr;
  size_t reserved_ = 0;
  size_t size_ = 0;
  size_t asked_ = 0;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_ARENA_H_
