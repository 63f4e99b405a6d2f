#include "engine/compile/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/check.h"

namespace tandem::engine {

namespace {

// Address space is cheap, but a process may have a limit on it (RLIMIT_AS): ask for less until it is given.
constexpr size_t kMostReserved = size_t{1} << 38;
constexpr size_t kLeastReserved = size_t{1} << 28;
constexpr size_t kStep = size_t{1} << 21;  // a huge page

}  // namespace

Arena::Arena() {
  for (size_t bytes = kMostReserved; bytes >= kLeastReserved; bytes /= 2) {
    void* const data = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) continue;
    base_ = static_cast<char*>(data);
    reserved_ = bytes;
    return;
  }
}

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, reserved_);
}

absl::Status Arena::Grow(size_t bytes) {
  asked_ = std::max(asked_, bytes);
  if (bytes <= size_) return absl::OkStatus();
  const size_t rounded = (bytes + kStep - 1) / kStep * kStep;
  if (rounded > reserved_ || mprotect(base_ + size_, rounded - size_, PROT_READ | PROT_WRITE) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot get ", bytes, " bytes of working memory"));
  }
  size_ = rounded;
  return absl::OkStatus();
}

}  // namespace tandem::engine
