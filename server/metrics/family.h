// Making families in prometheus-cpp's form. For this folder alone.
#ifndef TANDEM_SERVER_METRICS_FAMILY_H_
#define TANDEM_SERVER_METRICS_FAMILY_H_

#include <prometheus/metric_family.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tandem::metrics {

using Labels = std::vector<prometheus::ClientMetric::Label>;

inline constexpr double kSecondsPerNanosecond = 1e-9;

// tandem_`name`, without a metric.
prometheus::MetricFamily Family(const std::string& name, const std::string& help, prometheus::MetricType type);
void AddGauge(prometheus::MetricFamily& family, Labels labels, double value);
void AddCounter(prometheus::MetricFamily& family, Labels labels, double value);

// A family of one gauge without labels.
prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value);

// `scale` turns the histogram's unit into the metric's.
template <typename Histogram>
void AddHistogram(prometheus::MetricFamily& family, Labels labels, const typename Histogram::Snapshot& snapshot,
                  double scale) {
  prometheus::ClientMetric metric;
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

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_FAMILY_H_
