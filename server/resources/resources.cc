#include "server/resources/resources.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace tandem::resources {

int CoresByAffinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

int CoreBudget(int cores, std::optional<double> quota) {
  if (!quota.has_value()) return cores;
  // Quotas are written in whole microseconds: 2.00001 means two.
  const double whole = std::ceil(*quota - 0.01);
  return std::clamp(static_cast<int>(std::min(whole, 1e6)), 1, cores);
}

int64_t ResidentBytes() {
  int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace tandem::resources
