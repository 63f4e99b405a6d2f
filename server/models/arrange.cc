#include "server/models/arrange.h"

#include <algorithm>

namespace tandem::models {

size_t Wishes::Count() const {
  return policy.all || !policy.versions.empty() ? present.size() : static_cast<size_t>(policy.latest);
}

bool Wishes::Allows(int64_t number) const {
  return policy.versions.empty() ||
         std::find(policy.versions.begin(), policy.versions.end(), number) != policy.versions.end();
}

Arrangement Arrange(const std::vector<LoadedVersion>& loaded, const Wishes& wishes, const std::set<int64_t>& rejected) {
  std::vector<LoadedVersion> newest_first;
  for (const LoadedVersion& version : loaded) {
    if (wishes.present.contains(version.number)) newest_first.push_back(version);
  }
  std::sort(newest_first.begin(), newest_first.end(),
            [](const LoadedVersion& a, const LoadedVersion& b) { return a.number > b.number; });
  Arrangement result;
  for (const LoadedVersion& version : newest_first) {
    if (result.serve.size() == wishes.Count()) break;
    if (version.number == wishes.candidate) continue;
    if (wishes.Allows(version.number) && !rejected.contains(version.number)) result.serve.insert(version.number);
  }
  if (result.serve.empty()) {
    for (const LoadedVersion& version : newest_first) {
      if (version.serves) result.serve.insert(version.number);
    }
  }
  for (const LoadedVersion& version : newest_first) {
    if (version.number == wishes.candidate && !rejected.contains(version.number)) result.serve.insert(version.number);
  }
  for (const LoadedVersion& version : newest_first) {
    if (static_cast<int64_t>(result.keep.size()) >= wishes.keep_previous) break;
    if (!result.serve.contains(version.number)) result.keep.insert(version.number);
  }
  return result;
}

}  // namespace tandem::models
