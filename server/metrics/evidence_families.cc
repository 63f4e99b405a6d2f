#include "server/metrics/families.h"
#include "server/metrics/family.h"

namespace tandem::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Evidence(const ServerSample& sample, const std::string& name, const std::string& help, MetricType type,
                      double EvidenceSample::*value) {
  MetricFamily family = Family(name, help, type);
  for (const EvidenceSample& evidence : sample.evidence) {
    Labels labels = {{"model", evidence.model}, {"version", evidence.version}};
    (type == MetricType::Counter ? AddCounter : AddGauge)(family, std::move(labels), evidence.*value);
  }
  return family;
}

MetricFamily Verdicts(const ServerSample& sample) {
  MetricFamily family = Family(
      "verdict", "1 for the verdict of live evidence about int8 (undecided, proven, rejected).", MetricType::Gauge);
  for (const EvidenceSample& evidence : sample.evidence) {
    AddGauge(family, {{"model", evidence.model}, {"version", evidence.version}, {"verdict", evidence.verdict}}, 1);
  }
  return family;
}

MetricFamily RouteWeights(const ServerSample& sample) {
  MetricFamily family =
      Family("route_weight", "Share of the requests without a wish that a variant answers.", MetricType::Gauge);
  for (const RouteSample& route : sample.routes) {
    AddGauge(family, {{"model", route.model}, {"version", route.version}, {"variant", "fp32"}}, 1 - route.int8_weight);
    AddGauge(family, {{"model", route.model}, {"version", route.version}, {"variant", "int8"}}, route.int8_weight);
  }
  return family;
}

MetricFamily OutcomesReported(const ServerSample& sample) {
  MetricFamily family = Family("outcomes_total", "Outcomes of answers that clients have reported, of either variant.",
                               MetricType::Counter);
  const auto add = [&](const EvidenceSample& evidence, const std::string& variant, const std::string& outcome,
                       double value) {
    AddCounter(family,
               {{"model", evidence.model}, {"version", evidence.version}, {"variant", variant}, {"outcome", outcome}},
               value);
  };
  for (const EvidenceSample& evidence : sample.evidence) {
    add(evidence, "fp32", "right", evidence.fp32.right);
    add(evidence, "fp32", "wrong", evidence.fp32.wrong);
    add(evidence, "int8", "right", evidence.int8.right);
    add(evidence, "int8", "wrong", evidence.int8.wrong);
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
