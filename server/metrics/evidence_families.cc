#include <utility>

#include "server/metrics/families.h"
#include "server/metrics/family.h"

namespace tandem::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

Labels LabelsOf(const EvidenceSample& evidence) {
  Labels labels = {{"model", evidence.model}, {"version", evidence.version}};
  if (!evidence.baseline_version.empty()) labels.push_back({"baseline_version", evidence.baseline_version});
  return labels;
}

MetricFamily Evidence(const ServerSample& sample, const std::string& name, const std::string& help, MetricType type,
                      double EvidenceSample::*value) {
  MetricFamily family = Family(name, help, type);
  for (const EvidenceSample& evidence : sample.evidence) {
    Labels labels = LabelsOf(evidence);
    (type == MetricType::Counter ? AddCounter : AddGauge)(family, std::move(labels), evidence.*value);
  }
  return family;
}

MetricFamily Verdicts(const ServerSample& sample) {
  MetricFamily family = Family(
      "verdict", "1 for the verdict of live evidence about int8 (undecided, proven, rejected).", MetricType::Gauge);
  for (const EvidenceSample& evidence : sample.evidence) {
    Labels labels = LabelsOf(evidence);
    labels.push_back({"verdict", evidence.verdict});
    AddGauge(family, std::move(labels), 1);
  }
  return family;
}

MetricFamily RouteWeights(const ServerSample& sample) {
  MetricFamily family =
      Family("route_weight", "Share of the requests without a wish that a variant answers.", MetricType::Gauge);
  for (const RouteSample& route : sample.routes) {
    const double int8 = route.int8_weight;
    const Labels version = {{"model", route.model}, {"version", route.version}};
    for (const auto& [variant, weight] : {std::pair("fp32", 1 - int8), std::pair("int8", int8)}) {
      Labels labels = version;
      labels.push_back({"variant", variant});
      AddGauge(family, std::move(labels), route.share * weight);
    }
  }
  return family;
}

MetricFamily OutcomesReported(const ServerSample& sample) {
  MetricFamily family = Family("outcomes_total", "Outcomes of answers that clients have reported, of either variant.",
                               MetricType::Counter);
  const auto add = [&](Labels labels, const std::string& variant, const EvidenceSample::Outcomes& outcomes) {
    labels.push_back({"variant", variant});
    for (const auto& [outcome, value] : {std::pair("right", outcomes.right), std::pair("wrong", outcomes.wrong)}) {
      Labels all = labels;
      all.push_back({"outcome", outcome});
      AddCounter(family, std::move(all), value);
    }
  };
  for (const EvidenceSample& evidence : sample.evidence) {
    const Labels labels = LabelsOf(evidence);
    if (evidence.baseline_version.empty()) {
      add(labels, "fp32", evidence.baseline);
      add(labels, "int8", evidence.candidate);
      continue;
    }
    Labels of_baseline = {{"model", evidence.model}, {"version", evidence.baseline_version}};
    of_baseline.push_back({"candidate_version", evidence.version});
    add(std::move(of_baseline), "fp32", evidence.baseline);
    add(labels, "fp32", evidence.candidate);
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> EvidenceFamilies(const ServerSample& sample) {
  std::vector<MetricFamily> families;
  using E = EvidenceSample;
  constexpr MetricType kCounter = MetricType::Counter, kGauge = MetricType::Gauge;
  families.push_back(Evidence(sample, "shadow_comparisons_total", "Requests that both variants have answered.",
                              kCounter, &E::comparisons));
  families.push_back(Evidence(sample, "shadow_duplicates_total",
                              "Requests not compared because their input had been compared lately.", kCounter,
                              &E::duplicates));
  families.push_back(Evidence(sample, "shadow_dropped_total",
                              "Requests chosen for comparison that found no room or no time.", kCounter, &E::dropped));
  families.push_back(Evidence(sample, "agreement_ratio", "Share of compared answers that are the same in int8.", kGauge,
                              &E::agreement));
  families.push_back(Evidence(sample, "relative_error", "Error of int8's outputs relative to fp32's, root mean square.",
                              kGauge, &E::relative_error));
  families.push_back(Evidence(sample, "latency_ratio", "Mean time of int8 over that of fp32, in comparisons.", kGauge,
                              &E::latency_ratio));
  families.push_back(
      Evidence(sample, "proof_attempts", "Attempts at proving int8 by live evidence.", kGauge, &E::attempt));
  families.push_back(OutcomesReported(sample));
  families.push_back(Verdicts(sample));
  families.push_back(RouteWeights(sample));
  return families;
}

}  // namespace tandem::metrics
