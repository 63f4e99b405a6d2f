#include "server/metrics/families.h"
#include "server/metrics/family.h"

namespace tandem::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Builds(const ServerSample& sample) {
  MetricFamily family = Family("builds_total", "Builds of int8 siblings that ended, by outcome.", MetricType::Counter);
  for (size_t i = 0; i < sample.builds.outcomes.size(); ++i) {
    AddCounter(family, {{"outcome", kBuildOutcomes[i]}}, static_cast<double>(sample.builds.outcomes[i]));
  }
  return family;
}

MetricFamily BuildSeconds(const ServerSample& sample) {
  MetricFamily family = Family("build_seconds", "Time that builds of int8 siblings took.", MetricType::Histogram);
  AddHistogram<BuildHistogram>(family, {}, sample.builds.seconds, kSecondsPerNanosecond);
  return family;
}

MetricFamily Loads(const LifeTotals& life) {
  MetricFamily family =
      Family("version_loads_total", "Loads of model versions that ended, by outcome.", MetricType::Counter);
  AddCounter(family, {{"outcome", "published"}}, static_cast<double>(life.published));
  uint64_t failed = 0;
  for (uint64_t count : life.failures) failed += count;
  AddCounter(family, {{"outcome", "failed"}}, static_cast<double>(failed));
  return family;
}

MetricFamily LoadFailures(const LifeTotals& life) {
  MetricFamily family = Family("version_load_failures_total", "Loads of model versions that failed, by status code.",
                               MetricType::Counter);
  for (size_t code = 1; code < kNumCodes; ++code) {
    if (life.failures[code] == 0) continue;
    AddCounter(family, {{"code", CodeName(code)}}, static_cast<double>(life.failures[code]));
  }
  return family;
}

MetricFamily LoadSeconds(const LifeTotals& life) {
  MetricFamily family =
      Family("version_load_seconds", "Time from the start of a load until its version serves.", MetricType::Histogram);
  AddHistogram<LatencyHistogram>(family, {}, life.load_seconds, kSecondsPerNanosecond);
  return family;
}

MetricFamily Swaps(const LifeTotals& life) {
  MetricFamily family =
      Family("version_swaps_total", "Times that a version of a model took over from another.", MetricType::Counter);
  for (const auto& [model, totals] : life.models) {
    AddCounter(family, {{"model", model}}, static_cast<double>(totals.swaps));
  }
  return family;
}

MetricFamily Promotions(const LifeTotals& life) {
  MetricFamily family =
      Family("promotions_total", "Times that int8 was made to serve, or fp32 again.", MetricType::Counter);
  for (const auto& [model, totals] : life.models) {
    AddCounter(family, {{"model", model}, {"change", "promoted"}}, static_cast<double>(totals.promoted));
    AddCounter(family, {{"model", model}, {"change", "demoted"}}, static_cast<double>(totals.demoted));
  }
  return family;
}

MetricFamily Artifacts(const ServerSample& sample, const std::string& name, const std::string& help,
                       double ArtifactSample::*value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  for (const ArtifactSample& artifact : sample.artifacts) {
    if (artifact.*value > 0)
      AddGauge(family, {{"model", artifact.model}, {"version", artifact.version}}, artifact.*value);
  }
  return family;
}

MetricFamily ArtifactLoss(const ServerSample& sample) {
  MetricFamily family =
      Family("artifact_loss",
             "Loss of an int8 sibling where it was judged: right answers lost, answers changed, or the "
             "noise's share of the power.",
             MetricType::Gauge);
  for (const ArtifactSample& artifact : sample.artifacts) {
    if (artifact.metric.empty()) continue;
    AddGauge(family, {{"model", artifact.model}, {"version", artifact.version}, {"metric", artifact.metric}},
             artifact.loss);
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> LifeFamilies(const ServerSample& sample) {
  return {
      Loads(sample.life),
      LoadFailures(sample.life),
      LoadSeconds(sample.life),
      Swaps(sample.life),
      Promotions(sample.life),
      Builds(sample),
      BuildSeconds(sample),
      Artifacts(sample, "artifact_size_ratio", "Size of an int8 sibling's file over that of its model.",
                &ArtifactSample::size_ratio),
      Artifacts(sample, "artifact_speedup", "Time of fp32 over that of int8, where the sibling was judged.",
                &ArtifactSample::speedup),
      ArtifactLoss(sample),
  };
}

}  // namespace tandem::metrics
