#include "engine/passes/free_batch.h"

#include <algorithm>
#include <utility>

namespace tandem::engine {

namespace {

bool IsOfOneRow(const Value& value) {
  return value.shape.has_value() && !value.shape->empty() && value.shape->front() == 1;
}

// The constant shape to which `node` reshapes one row, or null.
const Tensor* ShapeOfOneRow(const Graph& graph, const Node& node) {
  if (node.op != "Reshape" || node.inputs.size() < 2 || node.attributes.Int("allowzero", 0) != 0) return nullptr;
  const Tensor* const shape = graph.ConstantOf(node.inputs[1]);
  if (shape == nullptr || shape->type() != DataType::kInt64 || shape->num_elements() == 0) return nullptr;
  return shape->values<int64_t>()[0] == 1 && !graph.value(node.inputs[0]).is_constant() ? shape : nullptr;
}

}  // namespace

bool FreeBatch(Graph& graph) {
  std::vector<ValueId> ends = graph.inputs();
  ends.insert(ends.end(), graph.outputs().begin(), graph.outputs().end());
  const auto of_one_row = [&](ValueId id) { return IsOfOneRow(graph.value(id)); };
  if (ends.empty() || !std::all_of(ends.begin(), ends.end(), of_one_row)) return false;
  for (const ValueId id : ends) graph.mutable_value(id).shape->front() = kUnknownDim;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node* const node = graph.node(id);
    if (node == nullptr) continue;
    const Tensor* const one_row = ShapeOfOneRow(graph, *node);
    if (one_row == nullptr) continue;
    Tensor any = one_row->Clone();
    any.mutable_values<int64_t>()[0] = 0;  // as many as there are
    const ValueId shape = graph.AddConstant(graph.value(node->inputs[1]).name, std::move(any));
    graph.mutable_node(id).inputs[1] = shape;
  }
  return true;
}

}  // namespace tandem::engine
