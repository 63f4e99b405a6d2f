#include "server/shared_memory/regions.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::shared_memory {
namespace {

std::string Named(absl::string_view name) {
  return absl::StrCat("shared memory region \"", absl::CHexEscape(name.substr(0, 120)), "\"");
}

}  // namespace

absl::Status Regions::Register(RegionSpec spec) {
  if (spec.name.empty()) return absl::InvalidArgumentError("a shared memory region needs a name");
  const std::string name = spec.name;
  TANDEM_ASSIGN_OR_RETURN(RegionHandle region, Region::Open(std::move(spec)));
  MutexLock lock(mutex_);
  if (regions_.count(name) > 0) return absl::AlreadyExistsError(absl::StrCat(Named(name), " is registered already"));
  if (regions_.size() >= options_.max_regions) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Named(name), ": ", options_.max_regions, " regions are registered, which is the limit"));
  }
  regions_.emplace(name, std::move(region));
  return absl::OkStatus();
}

void Regions::Unregister(const std::string& name) {
  std::map<std::string, RegionHandle, std::less<>> gone;  // closed without the lock
  MutexLock lock(mutex_);
  if (name.empty()) {
    gone.swap(regions_);
  } else if (auto node = regions_.extract(name); !node.empty()) {
    gone.insert(std::move(node));
  }
}

absl::StatusOr<std::vector<RegionSpec>> Regions::List(const std::string& name) const {
  std::vector<RegionSpec> specs;
  MutexLock lock(mutex_);
  for (const auto& [key, region] : regions_) {
    if (name.empty() || name == key) specs.push_back(region->spec());
  }
  if (!name.empty() && specs.empty()) return absl::NotFoundError(absl::StrCat(Named(name), " is not registered"));
  return specs;
}

absl::StatusOr<RegionHandle> Regions::Find(absl::string_view name) const {
  MutexLock lock(mutex_);
  const auto it = regions_.find(name);
  if (it != regions_.end()) return it->second;
  return absl::InvalidArgumentError(absl::StrCat(Named(name), " is not registered"));
}

}  // namespace tandem::shared_memory
