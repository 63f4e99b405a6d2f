// Calibration: one pass of samples through the float graph, which leaves a histogram of each value of interest.
#ifndef TANDEM_ENGINE_QUANTIZE_CALIBRATE_H_
#define TANDEM_ENGINE_QUANTIZE_CALIBRATE_H_

#include <functional>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph.h"
#include "engine/quantize/histogram.h"
#include "engine/quantize/samples.h"

namespace tandem::engine {

using Histograms = std::map<ValueId, Histogram>;

// Runs the samples `indices` through `graph` and counts the elements of each of `values` (float32). Memory does not
// grow with the number of samples. `on_sample` is told how many are done.
absl::StatusOr<Histograms> Calibrate(const Graph& graph, const std::vector<ValueId>& values, Samples& samples,
                                     const std::vector<int64_t>& indices, int threads,
                                     const std::function<void(int64_t)>& on_sample);

// `graph` with `values` as its only outputs.
Graph WithOutputs(const Graph& graph, const std::vector<ValueId>& values);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_CALIBRATE_H_
