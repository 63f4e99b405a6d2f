// If, Loop and Scan: operators that run subgraphs. They have no OpDef; the compiler treats them as steps of their own.
#ifndef TANDEM_ENGINE_COMPILE_CONTROL_FLOW_H_
#define TANDEM_ENGINE_COMPILE_CONTROL_FLOW_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/graph.h"
#include "engine/ops/op.h"

namespace tandem::engine {

bool IsControlFlow(const Node& node);

// The attributes of `node` that hold its subgraphs: {"then_branch", "else_branch"} or {"body"}.
std::vector<absl::string_view> SubgraphNames(const Node& node);

// That subgraphs are there and fit the number and types of the node's inputs and outputs.
absl::Status CheckControlFlow(const Node& node, absl::Span<const ValueInfo* const> inputs);

// The types of the inputs of subgraph `name`, from the types of the node's inputs.
std::vector<DataType> SubgraphInputTypes(const Node& node, absl::string_view name, absl::Span<const DataType> inputs);

// Types of the outputs; shapes stay open, for they depend on what the subgraphs do.
absl::StatusOr<std::vector<ValueInfo>> InferControlFlow(const Node& node, absl::Span<const ValueInfo* const> inputs);

// Runs subgraph `name` on `inputs` (one a subgraph input); the results stay valid until the subgraph runs again.
using SubgraphRunner =
    std::function<absl::StatusOr<std::vector<Tensor>>(absl::string_view name, absl::Span<const Tensor> inputs)>;

// Runs the node; `inputs` holds an undefined tensor for absent ones.
absl::StatusOr<std::vector<Tensor>> RunControlFlow(const Node& node, absl::Span<const Tensor> inputs,
                                                   const SubgraphRunner& run);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_CONTROL_FLOW_H_
