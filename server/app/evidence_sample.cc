#include "server/app/evidence_sample.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/routing/candidate.h"
#include "server/routing/choose_variant.h"

namespace tandem::app {
namespace {

metrics::EvidenceSample::Outcomes OutcomesOf(const evidence::ArmTotals& arm) {
  return {.right = static_cast<double>(arm.right), .wrong = static_cast<double>(arm.outcomes - arm.right)};
}

}  // namespace

metrics::EvidenceSample SampleOf(const evidence::Pair& pair, const evidence::Summary& summary) {
  return {.model = pair.model,
          .version = absl::StrCat(pair.candidate.version),
          .baseline_version = pair.of_versions() ? absl::StrCat(pair.baseline.version) : "",
          .verdict = std::string(NameOf(summary.standing.verdict)),
          .comparisons = static_cast<double>(summary.comparisons),
          .duplicates = static_cast<double>(summary.duplicates),
          .dropped = static_cast<double>(summary.dropped),
          .agreement = summary.agreement,
          .relative_error = summary.relative_error,
          .latency_ratio = summary.latency_ratio,
          .attempt = static_cast<double>(summary.standing.attempt),
          .baseline = OutcomesOf(summary.baseline),
          .candidate = OutcomesOf(summary.candidate)};
}

metrics::ArtifactSample SampleOf(const models::Version& version) {
  const quantization::Report& report = *version.lane.report;
  metrics::ArtifactSample sample{.model = version.model_name,
                                 .version = version.number_text,
                                 .size_ratio = report.size_ratio.value_or(0),
                                 .speedup = report.speedup.value_or(0)};
  if (report.loss.has_value()) {
    sample.metric = report.loss->metric;
    sample.loss = report.loss->value;
  }
  return sample;
}

double ShareOf(const models::Registry& registry, const models::Version& version) {
  if (!version.route.between_versions()) return 1;
  const auto primary = registry.Find(version.model_name, "");
  if (!primary.ok()) return 1;
  const bool splits = version.route.mode == "split" && routing::FindCandidate(registry, **primary).ok();
  const double of_candidate = splits ? version.route.candidate_weight : 0;
  if (version.number == (*primary)->number) return 1 - of_candidate;
  return version.is_candidate() ? of_candidate : 0;
}

double Int8WeightOf(const models::Version& version) {
  return routing::Int8Weight(
      version.route, {.loaded = version.int8 != nullptr, .lane = version.lane, .auto_state = version.auto_state});
}

}  // namespace tandem::app
