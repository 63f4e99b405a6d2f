#include "server/state/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace tandem::state {
namespace {

// The process that has the lock, as it noted itself; empty when it has not come to that yet.
std::string OwnerOf(int file) {
  char text[32] = {};
  const ssize_t size = pread(file, text, sizeof text - 1, 0);
  return std::string(absl::StripAsciiWhitespace(absl::string_view(text, size > 0 ? static_cast<size_t>(size) : 0)));
}

absl::Status InUse(const std::string& folder, const std::string& owner) {
  return absl::FailedPreconditionError(absl::StrCat(folder, " is in use by another tandemd",
                                                    owner.empty() ? "" : absl::StrCat(", process ", owner),
                                                    ": give each server a --state-dir of its own"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/lock");
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", strerror(errno)));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(file));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return InUse(folder, OwnerOf(file));
    return absl::UnavailableError(absl::StrCat("cannot lock ", path, ": ", strerror(errno)));
  }
  // For the message that the next one gets; the lock itself does not rest on it.
  const std::string self = absl::StrCat(getpid(), "\n");
  if (ftruncate(file, 0) != 0 || pwrite(file, self.data(), self.size(), 0) != static_cast<ssize_t>(self.size())) {
    return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", strerror(errno)));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() { close(file_); }

}  // namespace tandem::state
