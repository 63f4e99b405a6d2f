// DirectoryLock: keeps a folder to one process, by flock on the file `lock` in it. The system releases it with the
// process, however that ends.
#ifndef TANDEM_SERVER_STATE_DIRECTORY_LOCK_H_
#define TANDEM_SERVER_STATE_DIRECTORY_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tandem::state {

class DirectoryLock {
 public:
  // FAILED_PRECONDITION when another process has it, UNAVAILABLE when the folder cannot be written.
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(const std::string& folder);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}

  const int file_;
};

}  // namespace tandem::state

#endif  // TANDEM_SERVER_STATE_DIRECTORY_LOCK_H_
