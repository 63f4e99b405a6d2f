// Regions: the shared memory that clients have registered, by name.
//
// A region that is taken out while requests use it lives until they end. Thread-safe.
#ifndef TANDEM_SERVER_SHARED_MEMORY_REGIONS_H_
#define TANDEM_SERVER_SHARED_MEMORY_REGIONS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/mutex.h"
#include "server/shared_memory/region.h"

namespace tandem::shared_memory {

using RegionHandle = std::shared_ptr<const Region>;

struct RegionsOptions {
  // Regions at most; each holds an open file.
  size_t max_regions = 512;
  // Bytes of one input at most, as a message would be limited.
  uint64_t max_input_bytes = uint64_t{64} << 20;
};

class Regions {
 public:
  explicit Regions(const RegionsOptions& options) : options_(options) {}

  const RegionsOptions& options() const { return options_; }

  // INVALID_ARGUMENT without a name, ALREADY_EXISTS when it is taken, RESOURCE_EXHAUSTED when there are too many, and
  // whatever Region::Open says.
  absl::Status Register(RegionSpec spec);
  // Takes the region out; all of them when the name is empty. One that is not there is none to take out.
  void Unregister(const std::string& name);
  // The region, all of them when the name is empty, in the order of their names. NOT_FOUND when it is not there.
  absl::StatusOr<std::vector<RegionSpec>> List(const std::string& name) const;
  // INVALID_ARGUMENT when it is not there.
  absl::StatusOr<RegionHandle> Find(absl::string_view name) const;

 private:
  const RegionsOptions options_;
  mutable Mutex mutex_;
  std::map<std::string, RegionHandle, std::less<>> regions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::shared_memory

#endif  // TANDEM_SERVER_SHARED_MEMORY_REGIONS_H_
