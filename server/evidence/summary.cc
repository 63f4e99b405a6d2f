#include "server/evidence/summary.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tandem::evidence {
namespace {

std::string Percent(double share) { return absl::StrFormat("%.2f %%", share * 100); }

// "1.20 % of 812 answers changed (0.40 % to 2.90 %; budget 5.00 %)"
std::string Explain(const TestSummary& test, const std::string& what) {
  return absl::StrCat(Percent(test.mean), " ", what, " in ", test.samples, " requests (", Percent(test.bounds.lower),
                      " to ", Percent(test.bounds.upper), "; budget ", Percent(test.budget), ")");
}

std::string Reason(const Summary& summary) {
  if (summary.comparisons == 0 && summary.accuracy.samples == 0) return "nothing has been compared yet";
  std::string reason = Explain(summary.changes, summary.metric == Metric::kNoise ? "noise" : "of answers changed");
  if (summary.accuracy.samples > 0) {
    absl::StrAppend(&reason, "; ", Explain(summary.accuracy, "of accuracy lost"));
  }
  return reason;
}

double MeanOf(const metrics::LatencyHistogram::Snapshot& latency) {
  const uint64_t count = latency.count();
  return count == 0 ? 0 : static_cast<double>(latency.sum) / static_cast<double>(count);
}

// What the outputs say together.
void AddOutputs(Summary& summary) {
  int64_t rows = 0, changed = 0, reals = 0;
  double noise = 0, cosine = 0;
  for (const OutputTotals& output : summary.outputs) {
    rows += output.rows;
    changed += output.changed;
    if (!output.real) continue;
    ++reals;
    noise += output.noise;
    cosine += output.cosine;
  }
  if (rows > 0) summary.agreement = 1 - static_cast<double>(changed) / static_cast<double>(rows);
  const auto measured = static_cast<double>(reals * summary.comparisons);
  if (measured == 0) return;
  summary.relative_error = std::sqrt(noise / measured);
  summary.cosine = cosine / measured;
}

}  // namespace

TestSummary SummaryOf(const SequentialTest& test, bool alarm, double alpha) {
  return {.samples = test.samples(),
          .mean = test.mean(),
          .bounds = BoundsOf(test, alpha),
          .budget = test.claim().budget,
          .verdict = test.verdict(),
          .alarm = alarm};
}

Summary Summarize(Record record, const Standing& standing, const TestSummary& changes, const TestSummary& accuracy) {
  Summary summary{.standing = standing,
                  .metric = record.metric,
                  .comparisons = record.comparisons,
                  .duplicates = record.duplicates,
                  .dropped = record.dropped,
                  .pairs = record.pairs,
                  .outputs = std::move(record.outputs),
                  .baseline = record.baseline,
                  .candidate = record.candidate,
                  .changes = changes,
                  .accuracy = accuracy};
  AddOutputs(summary);
  const double baseline = MeanOf(summary.baseline.latency);
  if (baseline > 0) summary.latency_ratio = MeanOf(summary.candidate.latency) / baseline;
  summary.reason = Reason(summary);
  return summary;
}

}  // namespace tandem::evidence
