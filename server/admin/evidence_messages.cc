#include "server/admin/evidence_messages.h"

#include <limits>
#include <string>

namespace tandem::admin {
namespace {

using metrics::LatencyHistogram;

constexpr double kSecondsPerNanosecond = 1e-9;

v1::ArmEvidence MessageOf(const evidence::ArmTotals& arm) {
  v1::ArmEvidence message;
  const LatencyHistogram::Snapshot& latency = arm.latency;
  for (size_t k = 0; k < LatencyHistogram::kCount; ++k) {
    if (latency.counts[k] == 0) continue;
    v1::LatencyBucket& bucket = *message.add_latency();
    const bool last = k + 1 == LatencyHistogram::kCount;
    bucket.set_at_most_seconds(last ? std::numeric_limits<double>::infinity()
                                    : static_cast<double>(LatencyHistogram::Bound(k)) * kSecondsPerNanosecond);
    bucket.set_count(static_cast<int64_t>(latency.counts[k]));
  }
  const auto count = static_cast<double>(latency.count());
  if (count > 0) message.set_mean_seconds(static_cast<double>(latency.sum) * kSecondsPerNanosecond / count);
  message.set_outcomes(arm.outcomes);
  message.set_outcomes_right(arm.right);
  return message;
}

v1::TestEvidence MessageOf(const evidence::TestSummary& test) {
  v1::TestEvidence message;
  message.set_samples(test.samples);
  message.set_mean_loss(test.mean);
  message.set_lower_bound(test.bounds.lower);
  message.set_upper_bound(test.bounds.upper);
  message.set_budget(test.budget);
  message.set_verdict(std::string(NameOf(test.verdict)));
  message.set_alarm(test.alarm);
  return message;
}

v1::OutputEvidence MessageOf(const evidence::OutputTotals& output, int64_t comparisons) {
  v1::OutputEvidence message;
  message.set_rows(output.rows);
  message.set_changed_rows(output.changed);
  if (!output.real || comparisons == 0) return message;
  message.set_mean_noise(output.noise / static_cast<double>(comparisons));
  message.set_largest_noise(output.most_noise);
  message.set_mean_cosine(output.cosine / static_cast<double>(comparisons));
  return message;
}

}  // namespace

v1::CompareResponse MessageOf(const evidence::Pair& pair, const evidence::Summary& summary) {
  v1::CompareResponse message;
  message.set_version(pair.candidate.version);
  if (pair.of_versions()) message.set_baseline_version(pair.baseline.version);
  message.set_verdict(std::string(NameOf(summary.standing.verdict)));
  message.set_reason(summary.reason);
  message.set_attempt(summary.standing.attempt);
  message.set_int8_serves(summary.standing.candidate_serves);
  message.set_alarm(summary.standing.alarm);
  if (summary.metric.has_value()) message.set_metric(std::string(NameOf(*summary.metric)));
  message.set_comparisons(summary.comparisons);
  message.set_duplicates(summary.duplicates);
  message.set_dropped(summary.dropped);
  message.set_paired_outcomes(summary.pairs);
  message.set_agreement(summary.agreement);
  message.set_relative_error(summary.relative_error);
  message.set_cosine(summary.cosine);
  message.set_latency_ratio(summary.latency_ratio);
  for (const evidence::OutputTotals& output : summary.outputs) {
    *message.add_outputs() = MessageOf(output, summary.comparisons);
  }
  *message.mutable_fp32() = MessageOf(summary.baseline);
  *message.mutable_int8() = MessageOf(summary.candidate);
  *message.mutable_changes() = MessageOf(summary.changes);
  *message.mutable_accuracy() = MessageOf(summary.accuracy);
  return message;
}

}  // namespace tandem::admin
