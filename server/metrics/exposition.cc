#include "server/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <utility>

#include "absl/functional/function_ref.h"
#include "server/metrics/families.h"
#include "server/metrics/family.h"
#include "server/metrics/utf8.h"

namespace tandem::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

Labels LabelsOf(const VersionSample& sample) {
  return {{"model", sample.model}, {"version", sample.version}, {"variant", sample.variant}};
}

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

// Of those that reached a version: why.
MetricFamily Refusals(const ServerSample& sample) {
  MetricFamily family = Family("refusals_total",
                               "Requests not run: the queue or its memory was full, no answer was to be had before the "
                               "deadline, or the time to start had passed.",
                               MetricType::Counter);
  for (const VersionSample& version : sample.versions) {
    for (size_t i = 0; i < kNumRefusals; ++i) {
      Labels labels = LabelsOf(version);
      labels.push_back({"reason", kRefusals[i]});
      AddCounter(family, std::move(labels), static_cast<double>(version.totals.refusals[i]));
    }
  }
  return family;
}

// Histograms of a version begin with what they count: those of models that nobody asks would be most of a scrape.
MetricFamily Latency(const ServerSample& sample, const std::string& name, const std::string& help,
                     LatencyHistogram::Snapshot VersionTotals::*part) {
  MetricFamily family = Family(name, help, MetricType::Histogram);
  for (const VersionSample& version : sample.versions) {
    if ((version.totals.*part).count() == 0) continue;
    AddHistogram<LatencyHistogram>(family, LabelsOf(version), version.totals.*part, kSecondsPerNanosecond);
  }
  return family;
}

MetricFamily BatchRows(const ServerSample& sample) {
  MetricFamily family = Family("batch_rows", "Rows of the batches that were run.", MetricType::Histogram);
  for (const VersionSample& version : sample.versions) {
    if (version.totals.batch_rows.count() == 0) continue;
    AddHistogram<BatchSizeHistogram>(family, LabelsOf(version), version.totals.batch_rows, 1);
  }
  return family;
}

// What requests cost: histograms of their times count a batch once for every request in it.
MetricFamily BatchSeconds(const ServerSample& sample) {
  MetricFamily family =
      Family("batch_seconds_total", "Time that batches took to gather, run and be answered.", MetricType::Counter);
  for (const VersionSample& version : sample.versions) {
    uint64_t nanoseconds = 0;
    for (const SizeTotals& size : version.totals.by_size) nanoseconds += size.gather_ns + size.run_ns + size.respond_ns;
    AddCounter(family, LabelsOf(version), static_cast<double>(nanoseconds) * kSecondsPerNanosecond);
  }
  return family;
}

MetricFamily WideBatches(const ServerSample& sample) {
  MetricFamily family = Family(
      "wide_batches_total", "Batches that ran on all cores at once, as nothing else wanted them.", MetricType::Counter);
  for (const VersionSample& version : sample.versions) {
    AddCounter(family, LabelsOf(version), static_cast<double>(version.totals.wide_batches));
  }
  return family;
}

MetricFamily VersionGauge(const ServerSample& sample, const std::string& name, const std::string& help,
                          absl::FunctionRef<double(const VersionSample&)> value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  for (const VersionSample& version : sample.versions) AddGauge(family, LabelsOf(version), value(version));
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

MetricFamily TrafficGauge(const ServerSample& sample, const std::string& name, const std::string& help,
                          double TrafficSample::*value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  for (const TrafficSample& traffic : sample.traffic) {
    AddGauge(family, {{"model", traffic.model}, {"version", traffic.version}}, traffic.*value);
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> Families(const ServerSample& sample) {
  MetricFamily info =
      Family("build_info", "1, with the version of the server and the instruction set it compiles plans for.",
             MetricType::Gauge);
  AddGauge(info, {{"server_version", sample.version}, {"cpu", sample.cpu}}, 1);
  std::vector<MetricFamily> families = {
      std::move(info),
      Gauge("ready", "1 while the server takes requests.", sample.ready ? 1 : 0),
      Gauge("requests_in_flight", "Inference requests that have arrived and not ended.",
            static_cast<double>(sample.in_flight)),
      Gauge("cores", "Batches that may run at a time: the cores there are.", sample.cores),
      Gauge("cores_busy", "Cores that batches run on now.", sample.cores_busy),
      States("model_state", "1 for the state that a model version is in (found, loading, ... failed).", sample.states),
      States("variant_state", "1 for the state that a version's int8 variant is in (absent, building, ... failed).",
             sample.variant_states),
      TrafficGauge(sample, "traffic_samples", "Inputs of live requests that are held, to build int8 from.",
                   &TrafficSample::samples),
      TrafficGauge(sample, "traffic_requests", "Requests that were seen while samples are collected from traffic.",
                   &TrafficSample::requests),
      Requests(sample),
      Refused(sample),
      Refusals(sample),
      Latency(sample, "request_queue_seconds", "Time successful requests waited for a worker.", &VersionTotals::queue),
      Latency(sample, "request_compute_seconds", "Time the batches of successful requests took to gather and run.",
              &VersionTotals::compute),
      Latency(sample, "request_seconds", "Time from a request's arrival to its results.", &VersionTotals::total),
      BatchRows(sample),
      WideBatches(sample),
      BatchSeconds(sample),
      VersionGauge(sample, "queued_requests", "Requests that wait for a worker.",
                   [](const VersionSample& version) { return version.queued; }),
      VersionGauge(sample, "weight_bytes", "Memory of the weights.",
                   [](const VersionSample& version) { return version.weight_bytes; }),
      VersionGauge(sample, "arena_bytes", "Scratch memory that the largest plan needs of a worker's.",
                   [](const VersionSample& version) { return static_cast<double>(version.totals.arena_bytes); }),
  };
  const auto add = [&](std::vector<MetricFamily> more) {
    families.insert(families.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  add(LifeFamilies(sample));
  add(EvidenceFamilies(sample));
  add(ProcessFamilies());
  return families;
}

std::string Serialize(const std::vector<MetricFamily>& families) {
  return EscapeInvalidUtf8(prometheus::TextSerializer().Serialize(families));
}

}  // namespace tandem::metrics
