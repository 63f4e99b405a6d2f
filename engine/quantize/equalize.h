// Cross-layer equalization (Nagel et al., "Data-free quantization through weight equalization and bias correction",
// 2019): between two layers with only activations like Relu in between, channels are scaled so that the first layer's
// weights of a channel and the second's are alike in magnitude.
#ifndef TANDEM_ENGINE_QUANTIZE_EQUALIZE_H_
#define TANDEM_ENGINE_QUANTIZE_EQUALIZE_H_

#include <limits>
#include <vector>

#include "engine/graph.h"
#include "engine/quantize/channels.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

// `first` and `second`: indices into the layers.
struct EqualizedPair {
  size_t first, second;
  // The value that Clip(0, limit) reads between them, and its channels' axis; kNoValue: there is none. Channels must
  // stay below the limit before and after scaling; those that do not are left as they are.
  ValueId clipped = kNoValue;
  int64_t axis = 1;
  float limit = std::numeric_limits<float>::infinity();
};

// Every pair of which nothing else reads what lies between, in the order of their first layers.
std::vector<EqualizedPair> FindEqualizedPairs(const Graph& graph, const std::vector<Layer>& layers);

// `graph` with the pairs scaled until nothing changes any more; values and nodes keep their ids. `peaks`: those of the
// clipped values.
Graph Equalize(const Graph& graph, const std::vector<Layer>& layers, const std::vector<EqualizedPair>& pairs,
               const ChannelPeaks& peaks);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_EQUALIZE_H_
