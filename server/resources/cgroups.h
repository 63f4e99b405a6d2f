// Cgroups: the limits that control groups, version 1 and 2, set to this process.
//
// A group is bounded by all that it lies in, so that the smallest limit from the process's own group up to the mount
// counts. Limits are read anew each time, because orchestrators change them while a process runs. Inside of a container
// the kernel may name a group by its path on the host; then what is mounted is taken for the process's own group.
// Documented in the kernel's admin-guide/cgroup-v2.rst, sched-bwc.rst and cgroup-v1/memory.rst. Thread-safe.
#ifndef TANDEM_SERVER_RESOURCES_CGROUPS_H_
#define TANDEM_SERVER_RESOURCES_CGROUPS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem::resources {

class Cgroups {
 public:
  // `root` stands before every path, /proc included; empty but in tests.
  explicit Cgroups(const std::string& root = "");

  // Cores' worth of time a period: 1.5 for 150 ms of 100; unset: no limit.
  std::optional<double> CpuQuota() const;
  // Bytes of memory; unset: no limit.
  std::optional<int64_t> MemoryLimit() const;

 private:
  struct Hierarchy {
    bool is_v2 = false;
    // The process's own group and those around it.
    std::vector<std::string> folders;
  };

  std::vector<Hierarchy> cpu_, memory_;
};

}  // namespace tandem::resources

#endif  // TANDEM_SERVER_RESOURCES_CGROUPS_H_
