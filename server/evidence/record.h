// Record: everything that a ledger knows, as plain data, and its form for keeping.
#ifndef TANDEM_SERVER_EVIDENCE_RECORD_H_
#define TANDEM_SERVER_EVIDENCE_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/evidence/change_detector.h"
#include "server/evidence/comparison.h"
#include "server/evidence/sequential_test.h"
#include "server/evidence/terms.h"
#include "server/metrics/histogram.h"

namespace tandem::evidence {

// One output over all comparisons.
struct OutputTotals {
  bool real = false;  // floating-point: noise and cosine mean something
  int64_t rows = 0, changed = 0;
  double noise = 0, most_noise = 0, cosine = 0;  // sum, maximum, sum
};

// What one variant took and, where outcomes were reported, how often it was right.
struct ArmTotals {
  metrics::LatencyHistogram::Snapshot latency;  // nanoseconds that its share of a batch took
  int64_t outcomes = 0, right = 0;
};

struct Record {
  Terms terms;
  std::optional<Metric> metric;  // once there was a comparison
  int attempt = 1;               // at proving it; each has its part of alpha
  bool candidate_serves = false;
  int64_t comparisons = 0;
  int64_t duplicates = 0;  // requests not compared because their input had been, lately
  int64_t dropped = 0;     // requests chosen for comparison that were not compared
  int64_t pairs = 0;       // outcomes of requests that both have answered
  std::vector<OutputTotals> outputs;
  ArmTotals baseline, candidate;
  SequentialTest::State changes, accuracy;              // of this attempt
  ChangeDetector::State changes_watch, accuracy_watch;  // since the candidate serves
};

std::string Encode(const Record& record);
// DATA_LOSS for what Encode did not write, UNIMPLEMENTED for what a newer server wrote.
absl::StatusOr<Record> Decode(absl::string_view blob);

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_RECORD_H_
