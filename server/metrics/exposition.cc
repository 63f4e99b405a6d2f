#include "server/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>

namespace tandem::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kSecondsPerNanosecond = 1e-9;

MetricFamily Family(const std::string& name, const std::string& help, MetricType type) {
  MetricFamily family;
  family.name = "tandem_" + name;
  family.help = help;
  family.type = type;
  return family;
}

void AddGauge(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

void AddCounter(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  family.metric.push_back(std::move(metric));
}

// `scale` turns the histogram's unit into the metric's.
template <typename Histogram>
void AddHistogram(MetricFamily& family, Labels labels, const typename Histogram::Snapshot& snapshot, double scale) {
  ClientMetric metric;
  metric.label = std::move(labels);
  uint64_t cumulative = 0;
  for (size_t k = 0; k < Histogram::kCount; ++k) {
    cumulative += snapshot.counts[k];
    const bool last = k + 1 == Histogram::kCount;
    const double bound =
        last ? std::numeric_limits<double>::infinity() : static_cast<double>(Histogram::Bound(k)) * scale;
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = static_cast<double>(snapshot.sum) * scale;
  family.metric.push_back(std::move(metric));
}

Labels LabelsOf(const VersionSample& sample) {
  return {{"model", sample.model}, {"version", sample.version}, {"variant", sample.variant}};
}

std::string CodeName(size_t code) { return absl::StatusCodeToString(static_cast<absl::StatusCode>(code)); }

MetricFamily Requests(const ServerSample& sample) {
  MetricFamily family = Family("requests_total", "Inference requests answered, by status code.", MetricType::Counter);
  for (const VersionSample& version : sample.versions) {
    for (size_t code = 0; code < kNumCodes; ++code) {
      if (code != 0 && version.totals.codes[code] == 0) continue;
      Labels labels = LabelsOf(version);
      labels.push_back({"code", CodeName(code)});
      AddCounter(family, std::move(labels), static_cast<double>(version.totals.codes[code]));
    }
  }
  return family;
}

MetricFamily Refused(const ServerSample& sample) {
  MetricFamily family = Family("refused_requests_total",
                               "Requests refused before they reached a model version (malformed, unknown model), by "
                               "status code.",
                               MetricType::Counter);
  for (size_t code = 1; code < kNumCodes; ++code) {
    if (sample.refused[code] != 0) {
      AddCounter(family, {{"code", CodeName(code)}}, static_cast<double>(sample.refused[code]));
    }
  }
  return family;
}

MetricFamily Latency(const ServerSample& sample, const std::string& name, const std::string& help,
                     LatencyHistogram::Snapshot VersionTotals::*part) {
  MetricFamily family = Family(name, help, MetricType::Histogram);
  for (const VersionSample& version : sample.versions) {
    AddHistogram<LatencyHistogram>(family, LabelsOf(version), version.totals.*part, kSecondsPerNanosecond);
  }
  return family;
}

MetricFamily BatchRows(const ServerSample& sample) {
  MetricFamily family = Family("batch_rows", "Rows of the batches that were run.", MetricType::Histogram);
  for (const VersionSample& version : sample.versions) {
    AddHistogram<BatchSizeHistogram>(family, LabelsOf(version), version.totals.batch_rows, 1);
  }
  return family;
}

MetricFamily VersionGauge(const ServerSample& sample, const std::string& name, const std::string& help,
                          double VersionSample::*value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  for (const VersionSample& version : sample.versions) AddGauge(family, LabelsOf(version), version.*value);
  return family;
}

MetricFamily States(const std::string& name, const std::string& help, const std::vector<StateSample>& states) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  for (const StateSample& state : states) {
    Labels labels = {{"model", state.model}, {"version", state.version}};
    if (!state.variant.empty()) labels.push_back({"variant", state.variant});
    labels.push_back({"state", state.state});
    AddGauge(family, std::move(labels), 1);
  }
  return family;
}

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

// All about evidence.
void AddEvidence(const ServerSample& sample, std::vector<MetricFamily>& families) {
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
}

}  // namespace

std::vector<MetricFamily> Families(const ServerSample& sample) {
  MetricFamily info =
      Family("build_info", "1, with the version of the server and the instruction set it compiles plans for.",
             MetricType::Gauge);
  AddGauge(info, {{"server_version", sample.version}, {"cpu", sample.cpu}}, 1);
  MetricFamily ready = Family("ready", "1 while the server takes requests.", MetricType::Gauge);
  AddGauge(ready, {}, sample.ready ? 1 : 0);
  MetricFamily in_flight =
      Family("requests_in_flight", "Inference requests that have arrived and not ended.", MetricType::Gauge);
  AddGauge(in_flight, {}, static_cast<double>(sample.in_flight));
  std::vector<MetricFamily> families = {
      std::move(info),
      std::move(ready),
      std::move(in_flight),
      States("model_state", "1 for the state that a model version is in (found, loading, ... failed).", sample.states),
      States("variant_state", "1 for the state that a version's int8 variant is in (absent, building, ... failed).",
             sample.variant_states),
      Requests(sample),
      Refused(sample),
      Latency(sample, "request_queue_seconds", "Time successful requests waited for a worker.", &VersionTotals::queue),
      Latency(sample, "request_compute_seconds", "Time the batches of successful requests took to gather and run.",
              &VersionTotals::compute),
      Latency(sample, "request_seconds", "Time from a request's arrival to its results.", &VersionTotals::total),
      BatchRows(sample),
      VersionGauge(sample, "queued_requests", "Requests that wait for a worker.", &VersionSample::queued),
      VersionGauge(sample, "weight_bytes", "Memory of the weights.", &VersionSample::weight_bytes),
      Builds(sample),
      BuildSeconds(sample),
  };
  AddEvidence(sample, families);
  for (MetricFamily& family : ProcessFamilies()) families.push_back(std::move(family));
  return families;
}

std::string Serialize(const std::vector<MetricFamily>& families) {
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tandem::metrics
