#include <vector>

#include "engine/passes/expansion.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

std::optional<Patch> ExpandQLinearMatMul(const Matcher& matcher, const Node& node) {
  if (node.op != "QLinearMatMul" || node.inputs.size() != 8 || !HasOneOutput(node)) return std::nullopt;
  const std::optional<QuantizedValue> a = QuantizedInput(node, 0), b = QuantizedInput(node, 3);
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  const Tensor* a_scale = ScaleConstant(matcher, a->scale);
  const Tensor* b_scale = ScaleConstant(matcher, b->scale);
  if (a_scale == nullptr || b_scale == nullptr || ScaleConstant(matcher, node.inputs[6]) == nullptr) {
    return std::nullopt;
  }
  // One scale a column of the right operand is common; one a row of the left, or per matrix, stays as it is.
  const Tensor* weights = matcher.graph().ConstantOf(b->value);
  const bool per_column = b_scale->num_elements() != 1;
  const bool fits =
      weights != nullptr && weights->rank() >= 2 && b_scale->rank() == 1 && b_scale->num_elements() == weights->dim(-1);
  if (a_scale->num_elements() != 1 || (per_column && !fits)) return std::nullopt;
  const Tensor* b_zero = matcher.graph().ConstantOf(b->zero_point);
  if (b_zero == nullptr || (b_zero->num_elements() != 1 && b_zero->shape() != b_scale->shape())) return std::nullopt;

  Expansion expansion(matcher, node);
  const int64_t axis = per_column ? weights->rank() - 1 : 0;
  const ValueId left = expansion.Dequantize(*a), right = expansion.Dequantize(*b, axis);
  const ValueId real = expansion.Compute("MatMul", {left, right}, {});
  return std::move(expansion).Quantized(real, node.inputs[6], node.inputs[7]);
}

}  // namespace tandem::engine
