// Times of plans and of their steps.
#ifndef TANDEM_ENGINE_QUANTIZE_TIMING_H_
#define TANDEM_ENGINE_QUANTIZE_TIMING_H_

#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/quantize/graph_runner.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

// Milliseconds of a run of each, taken in turns, so that what else the machine does hits both alike: the median of the
// first, and that times the median ratio of a turn.
struct PairTimes {
  double first_ms = 0, second_ms = 0;
};
absl::StatusOr<PairTimes> TimeInTurns(GraphRunner& first, GraphRunner& second, const std::vector<Tensor>& inputs);

// Median microseconds that a plan of `graph` spends in each of `layers`, by their nodes' names, and in converting what
// they alone read. `graph`: one whose layers are called LayerName(i), by position.
absl::StatusOr<std::vector<double>> TimeLayers(const Graph& graph, size_t layers, const std::vector<Tensor>& inputs,
                                               int threads);

// `graph` with its layers named for TimeLayers.
Graph WithLayerNames(const Graph& graph, const std::vector<Layer>& layers);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_TIMING_H_
