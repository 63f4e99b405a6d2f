// Specialize: a graph for one set of input shapes.
//
// Walks a graph in order, infers every type and (where it follows from shapes and known contents) every shape, computes
// what depends on constants alone, and takes the branch of an If whose condition is known. With all input shapes known,
// shape arithmetic folds away. Values of the result carry their type and, where known, their full shape.
#ifndef TANDEM_ENGINE_COMPILE_SPECIALIZE_H_
#define TANDEM_ENGINE_COMPILE_SPECIALIZE_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph.h"
#include "engine/ops/op.h"

namespace tandem::engine {

// `inputs`: one a graph input, in order; shapes may be absent. Errors name the node.
absl::StatusOr<Graph> Specialize(const Graph& graph, absl::Span<const ValueInfo> inputs);

// Runs shape inference of `node` (not control flow) over `inputs` (null for absent ones); checks the number of inputs.
absl::StatusOr<std::vector<ValueInfo>> InferNode(const Node& node, absl::Span<const ValueInfo* const> inputs);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_SPECIALIZE_H_
