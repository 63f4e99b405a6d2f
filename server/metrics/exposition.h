// Families: metrics in prometheus-cpp's form, ready for its text serializer.
//
// One place for every metric's name, help and unit: prefix tandem_, seconds and bytes, labels model, version, variant.
#ifndef TANDEM_SERVER_METRICS_EXPOSITION_H_
#define TANDEM_SERVER_METRICS_EXPOSITION_H_

#include <prometheus/metric_family.h>

#include <array>
#include <string>
#include <vector>

#include "server/metrics/build_metrics.h"
#include "server/metrics/life_metrics.h"
#include "server/metrics/version_metrics.h"

namespace tandem::metrics {

// What is told of one variant of one version.
struct VersionSample {
  std::string model;
  std::string version;
  std::string variant;
  VersionTotals totals;
  double weight_bytes = 0;
  double queued = 0;  // requests that wait
};

// What is told of the life of one version, or of one variant of it.
struct StateSample {
  std::string model;
  std::string version;
  std::string variant;  // empty: of the version
  std::string state;
};

// What is told of the evidence about a version's int8 variant, or about a version beside another one.
struct EvidenceSample {
  std::string model;
  std::string version;
  std::string baseline_version;  // of two versions; empty: of variants
  std::string verdict;
  double comparisons = 0, duplicates = 0, dropped = 0;  // totals
  double agreement = 1;                                 // share of answers that are the same
  double relative_error = 0;
  double latency_ratio = 0;  // the candidate's mean time over the baseline's; 0: unknown
  double attempt = 1;        // at proving it
  struct Outcomes {
    double right = 0, wrong = 0;  // totals
  };
  Outcomes baseline, candidate;  // of answers, as clients reported; fp32 and int8 of one version
};

// What is told of a version that collects samples of live requests.
struct TrafficSample {
  std::string model;
  std::string version;
  double samples = 0;   // that are held
  double requests = 0;  // that have been seen
};

struct RouteSample {
  std::string model;
  std::string version;
  double int8_weight = 0;  // share of the version's requests that ask for nothing
  double share = 1;        // of the model's requests that name no version, where the route is between versions
};

// What is told of a version's int8 sibling, as its report says. 0 and empty: unknown.
struct ArtifactSample {
  std::string model;
  std::string version;
  double size_ratio = 0;  // of the files
  double speedup = 0;     // fp32's time over int8's
  std::string metric;     // of the loss
  double loss = 0;
};

struct ServerSample {
  std::string version;  // of this server
  std::string cpu;      // the level that plans are compiled for
  bool ready = false;
  uint64_t in_flight = 0;  // requests that have arrived and not ended
  double cores = 0, cores_busy = 0;
  // Requests refused before they reached a version, by status code.
  std::array<uint64_t, kNumCodes> refused{};
  std::vector<VersionSample> versions;
  std::vector<StateSample> states;
  std::vector<StateSample> variant_states;
  std::vector<RouteSample> routes;
  std::vector<TrafficSample> traffic;
  std::vector<EvidenceSample> evidence;
  std::vector<ArtifactSample> artifacts;
  BuildTotals builds;  // of int8 siblings
  LifeTotals life;
};

// Every metric of the server, in a fixed order, and those of the process.
std::vector<prometheus::MetricFamily> Families(const ServerSample& sample);

// process_* metrics, read from /proc/self.
std::vector<prometheus::MetricFamily> ProcessFamilies();

// The text a scrape receives.
std::string Serialize(const std::vector<prometheus::MetricFamily>& families);

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_EXPOSITION_H_
