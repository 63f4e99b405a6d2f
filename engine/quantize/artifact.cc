#include "engine/quantize/artifact.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

namespace fs = std::filesystem;

absl::Status Failed(const fs::path& path, const char* what) {
  return absl::UnavailableError(absl::StrCat(path.string(), ": ", what, ": ", std::strerror(errno)));
}

class File {
 public:
  File(const fs::path& path, int flags) : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

absl::Status WriteFile(const fs::path& path, absl::string_view bytes) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) return Failed(path, "cannot be created");
  while (!bytes.empty()) {
    const ssize_t written = write(file.descriptor(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed(path, "cannot be written");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.descriptor()) != 0) return Failed(path, "cannot be synced");
  return absl::OkStatus();
}

absl::Status SyncFolder(const fs::path& path) {
  const File folder(path, O_RDONLY | O_DIRECTORY);
  if (!folder.ok() || fsync(folder.descriptor()) != 0) return Failed(path, "cannot be synced");
  return absl::OkStatus();
}

// What an earlier writer that was killed has left behind.
void RemoveLeftovers(const fs::path& parent, const std::string& prefix) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    std::error_code ignored;
    if (absl::StartsWith(entry.path().filename().string(), prefix)) fs::remove_all(entry.path(), ignored);
  }
}

// `from` takes the place of `to`, which ends up under the name of `from` when it was there.
absl::Status Exchange(const fs::path& from, const fs::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return absl::OkStatus();
  if (errno != ENOENT && errno != EINVAL && errno != ENOSYS) return Failed(to, "cannot be replaced");
  // Nothing there yet, or a file system that cannot exchange names.
  std::error_code ignored;
  if (errno != ENOENT) fs::rename(to, from.string() + ".old", ignored);
  if (rename(from.c_str(), to.c_str()) != 0) return Failed(to, "cannot be put in place");
  return absl::OkStatus();
}

absl::Status Fill(const fs::path& temporary, const fs::path& target, const std::map<std::string, std::string>& files) {
  if (chmod(temporary.c_str(), 0755) != 0) return Failed(temporary, "cannot be made readable");
  for (const auto& [name, bytes] : files) {
    const fs::path path = temporary / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return absl::UnavailableError(absl::StrCat(path.string(), ": cannot be created: ", error.message()));
    TANDEM_RETURN_IF_ERROR(WriteFile(path, bytes));
    if (path.parent_path() != temporary) TANDEM_RETURN_IF_ERROR(SyncFolder(path.parent_path()));
  }
  TANDEM_RETURN_IF_ERROR(SyncFolder(temporary));
  TANDEM_RETURN_IF_ERROR(Exchange(temporary, target));
  return SyncFolder(target.parent_path());
}

}  // namespace

absl::Status WriteFolder(const std::string& directory, const std::map<std::string, std::string>& files) {
  std::error_code error;
  fs::path target = fs::absolute(directory, error).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const fs::path parent = target.parent_path();
  fs::create_directories(parent, error);
  if (error) return absl::UnavailableError(absl::StrCat(parent.string(), ": cannot be created: ", error.message()));
  if (fs::exists(target, error) && !fs::is_directory(target, error)) {
    return absl::InvalidArgumentError(absl::StrCat(target.string(), ": is there and is no folder"));
  }
  const std::string prefix = absl::StrCat(".", target.filename().string(), ".");
  RemoveLeftovers(parent, prefix);
  std::string pattern = (parent / absl::StrCat(prefix, "XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr) return Failed(parent, "cannot be written to");
  const absl::Status status = Fill(pattern, target, files);
  RemoveLeftovers(parent, prefix);
  return status;
}

}  // namespace tandem::engine
