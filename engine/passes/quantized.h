// What the passes that turn QuantizeLinear and DequantizeLinear into stored values agree on.
#ifndef TANDEM_ENGINE_PASSES_QUANTIZED_H_
#define TANDEM_ENGINE_PASSES_QUANTIZED_H_

#include <vector>

#include "engine/graph.h"

namespace tandem::engine {

// Whether `node` only says where the elements of input 0 go (or, as MaxPool, picks some of them): rounding them to a
// quantization before it or after it is the same.
bool MovesElements(const Node& node);

// Whether value `id` can lie in memory as integers: float32, of a known shape that oneDNN can hold.
bool IsStorable(const Value& value);

// Whether `dequantize`, a DequantizeLinear of constant weights, should not be computed ahead: all its readers multiply
// values that come quantized by it, so integers are what they want. `consumers`: of `graph`.
bool FeedsQuantizedProducts(const Graph& graph, const std::vector<std::vector<NodeId>>& consumers,
                            const Node& dequantize);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_QUANTIZED_H_
