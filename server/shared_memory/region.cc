#include "server/shared_memory/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engine/status.h"

namespace tandem::shared_memory {
namespace {

std::string NameOf(const RegionSpec& spec) {
  return absl::StrCat("shared memory region \"", absl::CHexEscape(spec.name), "\"");
}

// What errno says.
absl::Status SystemError(const RegionSpec& spec, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(NameOf(spec), " (key \"", absl::CHexEscape(spec.key), "\"): ", what));
}

// The object's name in the one folder that shm_open looks at, or INVALID_ARGUMENT for what would lead elsewhere.
absl::StatusOr<std::string> ObjectName(const RegionSpec& spec) {
  const absl::string_view name = absl::StripPrefix(spec.key, "/");
  const bool is_plain = !name.empty() && name.size() <= NAME_MAX && name != "." && name != ".." &&
                        name.find('/') == name.npos && name.find('\0') == name.npos;
  if (is_plain) return absl::StrCat("/", name);
  return absl::InvalidArgumentError(absl::StrCat(NameOf(spec), ": expected a key such as \"/name\", got \"",
                                                 absl::CHexEscape(absl::string_view(spec.key).substr(0, 120)), "\""));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Region>> Region::Open(RegionSpec spec) {
  TANDEM_ASSIGN_OR_RETURN(const std::string object, ObjectName(spec));
  const int file = shm_open(object.c_str(), O_RDWR, 0);
  if (file < 0) return SystemError(spec, "cannot open its object");
  const std::shared_ptr<const Region> region(new Region(std::move(spec), file));
  TANDEM_ASSIGN_OR_RETURN(const uint64_t size, region->ObjectSize());
  const RegionSpec& given = region->spec();
  if (given.byte_size > 0 && given.offset <= size && given.byte_size <= size - given.offset) return region;
  return absl::InvalidArgumentError(absl::StrCat(NameOf(given), ": expected at least 1 byte within the ", size,
                                                 " bytes of ", object, ", got ", given.byte_size, " bytes from ",
                                                 given.offset));
}

Region::~Region() { close(file_); }

absl::StatusOr<uint64_t> Region::ObjectSize() const {
  struct stat info;
  if (fstat(file_, &info) != 0) return SystemError(spec_, "cannot be looked at");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(NameOf(spec_), ": not a memory object"));
  return static_cast<uint64_t>(info.st_size);
}

absl::Status Region::Truncated() const {
  return absl::FailedPreconditionError(
      absl::StrCat(NameOf(spec_), ": the memory is smaller now than it was when it was registered"));
}

absl::Status Region::CheckRange(uint64_t offset, uint64_t size) const {
  if (offset <= spec_.byte_size && size <= spec_.byte_size - offset) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(NameOf(spec_), " has ", spec_.byte_size, " bytes, not ", size, " from ", offset));
}

absl::Status Region::Read(uint64_t offset, size_t size, void* to) const {
  char* at = static_cast<char*>(to);
  for (auto from = static_cast<off_t>(spec_.offset + offset); size > 0;) {
    const ssize_t n = pread(file_, at, size, from);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(spec_, "cannot be read");
    if (n == 0) return Truncated();
    at += n;
    from += n;
    size -= static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status Region::Write(uint64_t offset, size_t size, const void* from) const {
  // Writing beyond its end would enlarge the object again.
  TANDEM_ASSIGN_OR_RETURN(const uint64_t object_size, ObjectSize());
  if (spec_.offset + offset + size > object_size) return Truncated();
  const char* at = static_cast<const char*>(from);
  for (auto to = static_cast<off_t>(spec_.offset + offset); size > 0;) {
    const ssize_t n = pwrite(file_, at, size, to);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return SystemError(spec_, "cannot be written");
    at += n;
    to += n;
    size -= static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

}  // namespace tandem::shared_memory
