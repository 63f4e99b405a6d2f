// Bias correction: the mean error of a layer's results goes into its bias.
#ifndef TANDEM_ENGINE_QUANTIZE_BIAS_H_
#define TANDEM_ENGINE_QUANTIZE_BIAS_H_

#include <vector>

#include "engine/graph.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

// `exact` and `results`: the layer's output in float and with quantized operands, one a sample. Adds the mean
// difference of each channel to the scheme's bias and to `results`. Few samples tell a mean badly: it is shrunk by what
// chance alone would make of it. Layers that have no bias of one element a channel stay as they are.
void CorrectBias(const Graph& graph, const Layer& layer, const std::vector<Tensor>& exact, std::vector<Tensor>& results,
                 LayerScheme& scheme);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_BIAS_H_
