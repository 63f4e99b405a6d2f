#include "engine/patch.h"

namespace tandem::engine {

ValueId Patch::AddConstant(Tensor tensor) {
  Value value;
  value.type = tensor.type();
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
  values_.push_back(std::move(value));
  return next_value_++;
}

ValueId Patch::Add(Node node, DataType type, std::optional<Shape> shape) {
  Value value;
  value.type = type;
  value.shape = std::move(shape);
  values_.push_back(std::move(value));
  node.outputs = {next_value_};
  nodes_.push_back(std::move(node));
  return next_value_++;
}

void Patch::Apply(Graph& graph) && {
  for (Value& value : values_) graph.AddValue(std::move(value));
  TANDEM_CHECK(graph.num_values() == next_value_, "the graph changed under a patch");
  for (Node& node : nodes_) graph.AddNode(std::move(node));
  for (const auto& [old, with] : replacements_) {
    const Value& from = graph.value(old);
    Value& to = graph.mutable_value(with);
    if (to.name.empty() || graph.IsOutput(old)) to.name = from.name;
    if (graph.IsOutput(old)) {
      to.shape = from.shape;
      to.dim_names = from.dim_names;
    }
    graph.ReplaceUses(old, with);
  }
}

}  // namespace tandem::engine
