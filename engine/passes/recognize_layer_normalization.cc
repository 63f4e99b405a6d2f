#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// The x of ReduceMean(x) over the last dimension, kept; else kNoValue.
ValueId MeanOfRows(const Matcher& matcher, ValueId id) {
  const Node* mean = matcher.Producer(id, "ReduceMean");
  if (mean == nullptr || mean->attributes.Int("keepdims", 1) == 0 || mean->inputs.size() != 2) return kNoValue;
  const Tensor* axes = matcher.graph().ConstantOf(mean->inputs[1]);
  if (axes == nullptr || axes->type() != DataType::kInt64 || axes->num_elements() != 1) return kNoValue;
  const int64_t axis = axes->values<int64_t>()[0];
  const std::optional<Shape>& shape = matcher.value(mean->inputs[0]).shape;
  const bool last = axis == -1 || (shape.has_value() && axis == static_cast<int64_t>(shape->size()) - 1);
  return last ? mean->inputs[0] : kNoValue;
}

// The x of x * x or Pow(x, 2).
ValueId Squared(const Matcher& matcher, ValueId id) {
  const Node* node = matcher.Producer(id);
  if (node == nullptr || !node->post_ops.empty() || node->inputs.size() != 2) return kNoValue;
  if (node->op == "Mul" && node->inputs[0] == node->inputs[1]) return node->inputs[0];
  if (node->op == "Pow" && matcher.Scalar(node->inputs[1]) == 2.0f) return node->inputs[0];
  return kNoValue;
}

// A constant vector on one side of `node`: its index, or -1.
int VectorOperand(const Matcher& matcher, const Node& node) {
  return matcher.Operand(node, [&](ValueId id) {
    const Tensor* constant = matcher.graph().ConstantOf(id);
    return constant != nullptr && constant->type() == DataType::kFloat32 && constant->rank() == 1;
  });
}

struct Normalized {
  ValueId x = kNoValue;
  float epsilon = 0;
};

// (x - mean) / sqrt(variance + epsilon).
std::optional<Normalized> NormalizedRows(const Matcher& matcher, const Node& div) {
  const Node* sub = matcher.Producer(div.inputs[0], "Sub");
  const Node* root = matcher.Producer(div.inputs[1], "Sqrt");
  if (sub == nullptr || root == nullptr) return std::nullopt;
  const ValueId x = sub->inputs[0];
  if (MeanOfRows(matcher, sub->inputs[1]) != x) return std::nullopt;
  const Node* add = matcher.Producer(root->inputs[0], "Add");
  if (add == nullptr) return std::nullopt;
  const int index = matcher.Operand(*add, [&](ValueId id) { return matcher.Scalar(id).has_value(); });
  if (index < 0) return std::nullopt;
  const ValueId squared = MeanOfRows(matcher, add->inputs[1 - index]);
  if (squared == kNoValue || Squared(matcher, squared) != div.inputs[0]) return std::nullopt;
  return Normalized{x, *matcher.Scalar(add->inputs[index])};
}

}  // namespace

std::optional<Patch> RecognizeLayerNormalization(const Matcher& matcher, const Node& node) {
  if (node.op != "Add") return std::nullopt;
  const int shift = VectorOperand(matcher, node);
  if (shift < 0) return std::nullopt;
  const ValueId scaled = node.inputs[1 - shift];
  const Node* mul = matcher.Producer(scaled, "Mul");
  if (mul == nullptr || !matcher.IsPassedOn(scaled)) return std::nullopt;
  const int scale = VectorOperand(matcher, *mul);
  if (scale < 0) return std::nullopt;
  const Node* div = matcher.Producer(mul->inputs[1 - scale], "Div");
  if (div == nullptr) return std::nullopt;
  const std::optional<Normalized> rows = NormalizedRows(matcher, *div);
  if (!rows.has_value()) return std::nullopt;
  const ValueId scale_id = mul->inputs[scale], shift_id = node.inputs[shift];
  // Vectors of another length would stretch the rows.
  const std::optional<Shape>& shape = matcher.value(rows->x).shape;
  const auto spans_rows = [&](ValueId id) { return matcher.value(id).constant.num_elements() == shape->back(); };
  if (!shape.has_value() || shape->empty() || !spans_rows(scale_id) || !spans_rows(shift_id)) return std::nullopt;
  Node normalization;
  normalization.op = "LayerNormalization";
  normalization.name = node.name;
  normalization.attributes.Set("axis", int64_t{-1});
  normalization.attributes.Set("epsilon", rows->epsilon);
  normalization.inputs = {rows->x, scale_id, shift_id};
  return ReplaceNode(matcher, node, std::move(normalization));
}

}  // namespace tandem::engine
