// Weights to int8: symmetric, one scale an output channel.
#ifndef TANDEM_ENGINE_QUANTIZE_WEIGHTS_H_
#define TANDEM_ENGINE_QUANTIZE_WEIGHTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/quantize/scheme.h"
#include "engine/tensor.h"

namespace tandem::engine {

struct WeightOptions {
  // The axis over which products are summed, if they are added in pairs that can saturate
  // (engine/compile/saturation.h): no neighbours along it pass then. Such a pair is lowered, or its channel's scale is
  // larger, whichever errs less.
  std::optional<int64_t> pair_axis;
  // Clip a channel where that lowers the error of its weights.
  bool clip = true;
  bool power_of_two = false;  // scales
};

// Only `weights` and `scales` of the result are set.
LayerScheme QuantizeWeights(const Tensor& weights, int64_t channel_axis, const WeightOptions& options);

// Each weight to its sign times its channel's mean magnitude (Rastegari et al., "XNOR-Net", 2016), stored as +1 and -1.
LayerScheme BinarizeWeights(const Tensor& weights, int64_t channel_axis);

// int8 weights back to float.
Tensor DequantizeWeights(const LayerScheme& scheme, int64_t channel_axis);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_WEIGHTS_H_
