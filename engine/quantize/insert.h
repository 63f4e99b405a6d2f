// Writes a scheme into a graph: QuantizeLinear and DequantizeLinear around every site, int8 weights and int32 biases
// behind DequantizeLinear.
#ifndef TANDEM_ENGINE_QUANTIZE_INSERT_H_
#define TANDEM_ENGINE_QUANTIZE_INSERT_H_

#include "engine/graph.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

// `graph` with `scheme` written into it. Readers of a site read its dequantized value; outputs of the graph stay as
// they are. A bias is stored as int32 with the scale of the products where it fits, else it stays float.
Graph InsertQuantization(const Graph& graph, const std::vector<Layer>& layers, const Scheme& scheme);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_INSERT_H_
