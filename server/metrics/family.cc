#include "server/metrics/family.h"

namespace tandem::metrics {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

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

MetricFamily Gauge(const std::string& name, const std::string& help, double value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  AddGauge(family, {}, value);
  return family;
}

}  // namespace tandem::metrics
