// Which passes run when.
#ifndef TANDEM_ENGINE_PASSES_PIPELINES_H_
#define TANDEM_ENGINE_PASSES_PIPELINES_H_

#include "absl/status/status.h"
#include "engine/graph.h"

namespace tandem::engine {

// Once a model as it was imported, before types and shapes are inferred: operators on quantized numbers become
// operators on real ones between DequantizeLinear and QuantizeLinear, the one form of quantization that the engine
// knows.
absl::Status ExpandOperators(Graph& graph);

// Once a model, when shapes may be open: what changes weights, and patterns that do not depend on shapes.
absl::Status OptimizeModel(Graph& graph);

// Once a plan, when shapes are known: fusion.
absl::Status OptimizePlan(Graph& graph);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_PIPELINES_H_
