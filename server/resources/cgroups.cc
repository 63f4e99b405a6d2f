#include "server/resources/cgroups.h"

#include <algorithm>
#include <fstream>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tandem::resources {
namespace {

// Limits above this are how version 1 says none: the largest page multiple of 63 bits, or something near it.
constexpr int64_t kNoLimit = int64_t{1} << 60;

// The key of version 2's only hierarchy among those of version 1, which are called by their controllers.
constexpr char kUnified[] = "";

// The process's group by controller, as /proc/self/cgroup tells: "4:cpu,cpuacct:/path", in version 2 "0::/path".
std::map<std::string, std::string> ReadGroups(const std::string& root) {
  std::map<std::string, std::string> groups;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    for (const auto controller : absl::StrSplit(fields[1], ',')) groups[std::string(controller)] = fields[2];
  }
  return groups;
}

struct Mount {
  std::string shows;  // the group that is at its top
  std::string at;
  bool is_v2 = false;
  std::vector<std::string> controllers;  // version 1
};

// Control groups among the lines of /proc/self/mountinfo (see proc(5)):
//   36 35 98:0 SHOWN POINT options [optional fields] - TYPE source super-options
std::vector<Mount> ReadMounts(const std::string& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> halves = absl::StrSplit(line, absl::MaxSplits(" - ", 1));
    if (halves.size() != 2) continue;
    const std::vector<std::string> left = absl::StrSplit(halves[0], ' '), right = absl::StrSplit(halves[1], ' ');
    if (left.size() < 6 || right.size() < 3) continue;
    if (right[0] == "cgroup2") {
      mounts.push_back({.shows = left[3], .at = left[4], .is_v2 = true});
    } else if (right[0] == "cgroup") {
      mounts.push_back({.shows = left[3], .at = left[4], .controllers = absl::StrSplit(right[2], ',')});
    }
  }
  return mounts;
}

// The folders of `group` and of all around it below the mount.
std::vector<std::string> FoldersOf(const std::string& root, const Mount& mount, absl::string_view group) {
  const std::string top = root + mount.at;
  std::vector<std::string> folders;
  const bool is_inside =
      mount.shows == "/" ? absl::ConsumePrefix(&group, "/") : absl::ConsumePrefix(&group, mount.shows);
  std::string folder = top;
  folders.push_back(folder);
  if (!is_inside) return folders;
  for (const auto part : absl::StrSplit(group, '/', absl::SkipEmpty())) {
    if (part == "..") return {top};
    absl::StrAppend(&folder, "/", part);
    folders.push_back(folder);
  }
  return folders;
}

std::vector<std::string> ReadWords(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return absl::StrSplit(line, ' ', absl::SkipEmpty());
}

std::optional<int64_t> ReadNumber(const std::string& path) {
  const std::vector<std::string> words = ReadWords(path);
  int64_t number = 0;
  if (words.size() != 1 || !absl::SimpleAtoi(words[0], &number)) return std::nullopt;
  return number;
}

std::optional<double> Share(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<double>(quota) / static_cast<double>(period);
}

std::optional<double> CpuQuotaOf(const std::string& folder, bool is_v2) {
  if (is_v2) {
    const std::vector<std::string> words = ReadWords(folder + "/cpu.max");
    int64_t quota = 0, period = 100'000;
    if (words.empty() || !absl::SimpleAtoi(words[0], &quota)) return std::nullopt;  // "max"
    if (words.size() > 1 && !absl::SimpleAtoi(words[1], &period)) return std::nullopt;
    return Share(quota, period);
  }
  const auto quota = ReadNumber(folder + "/cpu.cfs_quota_us"), period = ReadNumber(folder + "/cpu.cfs_period_us");
  return quota.has_value() && period.has_value() ? Share(*quota, *period) : std::nullopt;
}

std::optional<int64_t> MemoryLimitOf(const std::string& folder, bool is_v2) {
  const auto limit = ReadNumber(folder + (is_v2 ? "/memory.max" : "/memory.limit_in_bytes"));
  return limit.has_value() && *limit > 0 && *limit < kNoLimit ? limit : std::nullopt;
}

template <typename Number>
void TakeSmaller(std::optional<Number>& least, const std::optional<Number>& other) {
  if (other.has_value() && (!least.has_value() || *other < *least)) least = other;
}

}  // namespace

Cgroups::Cgroups(const std::string& root) {
  const std::map<std::string, std::string> groups = ReadGroups(root);
  for (const Mount& mount : ReadMounts(root)) {
    const auto add = [&](const std::string& controller, std::vector<Hierarchy>& hierarchies) {
      if (const auto group = groups.find(controller); group != groups.end()) {
        hierarchies.push_back({mount.is_v2, FoldersOf(root, mount, group->second)});
      }
    };
    if (mount.is_v2) {
      add(kUnified, cpu_);
      add(kUnified, memory_);
      continue;
    }
    for (const std::string& controller : mount.controllers) {
      if (controller == "cpu") add(controller, cpu_);
      if (controller == "memory") add(controller, memory_);
    }
  }
}

std::optional<double> Cgroups::CpuQuota() const {
  std::optional<double> least;
  for (const Hierarchy& hierarchy : cpu_) {
    for (const std::string& folder : hierarchy.folders) TakeSmaller(least, CpuQuotaOf(folder, hierarchy.is_v2));
  }
  return least;
}

std::optional<int64_t> Cgroups::MemoryLimit() const {
  std::optional<int64_t> least;
  for (const Hierarchy& hierarchy : memory_) {
    for (const std::string& folder : hierarchy.folders) TakeSmaller(least, MemoryLimitOf(folder, hierarchy.is_v2));
  }
  return least;
}

}  // namespace tandem::resources
