// The parts of the exposition. For this folder alone.
#ifndef TANDEM_SERVER_METRICS_FAMILIES_H_
#define TANDEM_SERVER_METRICS_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <vector>

#include "server/metrics/exposition.h"

namespace tandem::metrics {

// About comparisons of variants, verdicts and routes.
std::vector<prometheus::MetricFamily> EvidenceFamilies(const ServerSample& sample);

// About loads, swaps and promotions, and the int8 siblings that are there.
std::vector<prometheus::MetricFamily> LifeFamilies(const ServerSample& sample);

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_FAMILIES_H_
