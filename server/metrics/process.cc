// process_* metrics as other Prometheus clients name them, from /proc/self.
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "server/metrics/exposition.h"

namespace tandem::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily One(const std::string& name, const std::string& help, MetricType type, double value) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(metric);
  return family;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double OpenFiles() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  double count = -3;  // ".", ".." and the folder itself
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

double Threads() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Threads:", 0) == 0) return std::stod(line.substr(8));
  }
  return 0;
}

}  // namespace

std::vector<MetricFamily> ProcessFamilies() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  double virtual_pages = 0;
  double resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return {
      One("process_cpu_seconds_total", "User and system time.", MetricType::Counter,
          Seconds(usage.ru_utime) + Seconds(usage.ru_stime)),
      One("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, resident_pages * page),
      One("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, virtual_pages * page),
      One("process_open_fds", "Open file descriptors.", MetricType::Gauge, OpenFiles()),
      One("process_threads", "Threads.", MetricType::Gauge, Threads()),
  };
}

}  // namespace tandem::metrics
