// Smoothing (Xiao et al., "SmoothQuant", 2022): channels with outliers, which one scale for all channels stores badly,
// are made smaller at the cost of larger weights behind them.
#ifndef TANDEM_ENGINE_QUANTIZE_SMOOTH_H_
#define TANDEM_ENGINE_QUANTIZE_SMOOTH_H_

#include <vector>

#include "engine/graph.h"
#include "engine/quantize/channels.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

// A value that only matrix products read and whose channels, along its last axis, come out of constants.
struct SmoothedValue {
  struct Constant {
    NodeId node;
    size_t input;
  };
  ValueId value = kNoValue;
  std::vector<Constant> makers;  // divided by the factors: LayerNormalization's, or those of Mul and Add
  std::vector<size_t> readers;   // multiplied by them; indices into the layers
};

std::vector<SmoothedValue> FindSmoothedValues(const Graph& graph, const std::vector<Layer>& layers);

// `graph` with the channels of `values` divided by peak^alpha / weights^(1 - alpha), where the weights are the largest
// that the channel meets; values and nodes keep their ids.
Graph Smooth(const Graph& graph, const std::vector<Layer>& layers, const std::vector<SmoothedValue>& values,
             const ChannelPeaks& peaks, float alpha);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SMOOTH_H_
