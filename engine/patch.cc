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

ValueId Patch::AddConstant(Tensor tensor, Quantization quantization) {
  const ValueId id = AddConstant(std::move(tensor));
  values_.back().type = DataType::kFloat32;
  values_.back().quantization = std::move(quantization);
  return id;
}

ValueId Patch::AddLike(Node node, const Value& like) {
  const ValueId id = Add(std::move(node), like.type, like.shape);
  values_.back().quantization = like.quantization;
  return id;
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
  for (auto& [id, quantization] : stored_) graph.mutable_value(id).quantization = std::move(quantization);
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
