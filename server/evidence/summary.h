// Summary: what a ledger says, for people and for decisions.
#ifndef TANDEM_SERVER_EVIDENCE_SUMMARY_H_
#define TANDEM_SERVER_EVIDENCE_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/evidence/bounds.h"
#include "server/evidence/comparison.h"
#include "server/evidence/record.h"
#include "server/evidence/sequential_test.h"

namespace tandem::evidence {

// What decisions are made from.
struct Standing {
  int attempt = 1;
  bool candidate_serves = false;
  Verdict verdict = Verdict::kUndecided;
  bool alarm = false;
};

struct TestSummary {
  int64_t samples = 0;
  double mean = 0;
  Bounds bounds;  // at the terms' alpha
  double budget = 0;
  Verdict verdict = Verdict::kUndecided;
  bool alarm = false;
};

// Everything, for people: numbers of this attempt in the tests, of all time elsewhere.
struct Summary {
  Standing standing;
  std::optional<Metric> metric;  // once there was a comparison
  int64_t comparisons = 0, duplicates = 0, dropped = 0, pairs = 0;
  std::vector<OutputTotals> outputs;
  double agreement = 1;       // share of answers that are the same
  double relative_error = 0;  // root of the mean noise of the outputs
  double cosine = 1;          // mean
  double latency_ratio = 0;   // mean time of the candidate over that of the baseline; 0: unknown
  ArmTotals baseline, candidate;
  TestSummary changes;   // losses by the metric, of all comparisons
  TestSummary accuracy;  // by outcomes of requests that both have answered
  std::string reason;    // in words with numbers
};

TestSummary SummaryOf(const SequentialTest& test, bool alarm, double alpha);

// `record` is complete: with the states of the tests and all latencies.
Summary Summarize(Record record, const Standing& standing, const TestSummary& changes, const TestSummary& accuracy);

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_SUMMARY_H_
