// Region: bytes of a POSIX shared memory object, where a client keeps the values of tensors instead of sending them.
//
// It is never mapped. The object is the client's, who may truncate it at any moment, and touching a mapping beyond its
// end would end this process. Reading and writing by system calls copies the bytes once, straight into the place where
// they are needed, and fails with a status instead. What the client changes meanwhile changes its own results.
// Thread-safe.
#ifndef TANDEM_SERVER_SHARED_MEMORY_REGION_H_
#define TANDEM_SERVER_SHARED_MEMORY_REGION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tandem::shared_memory {

// What a client registers: `byte_size` bytes from `offset` of the object that shm_open calls `key`.
struct RegionSpec {
  std::string name;
  std::string key;
  uint64_t offset = 0;
  uint64_t byte_size = 0;
};

class Region {
 public:
  // INVALID_ARGUMENT when the key names no object that there can be or the object is smaller than that; NOT_FOUND or
  // PERMISSION_DENIED when it cannot be opened for reading and writing.
  static absl::StatusOr<std::shared_ptr<const Region>> Open(RegionSpec spec);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  const RegionSpec& spec() const { return spec_; }

  // INVALID_ARGUMENT unless `size` bytes from `offset` lie within the region.
  absl::Status CheckRange(uint64_t offset, uint64_t size) const;
  // Copy `size` bytes from or to `offset` of the region; the range must have been checked. FAILED_PRECONDITION when the
  // object does not have them any more.
  absl::Status Read(uint64_t offset, size_t size, void* to) const;
  absl::Status Write(uint64_t offset, size_t size, const void* from) const;

 private:
  Region(RegionSpec spec, int file) : spec_(std::move(spec)), file_(file) {}

  absl::StatusOr<uint64_t> ObjectSize() const;
  absl::Status Truncated() const;

  const RegionSpec spec_;
  const int file_;
};

}  // namespace tandem::shared_memory

#endif  // TANDEM_SERVER_SHARED_MEMORY_REGION_H_
