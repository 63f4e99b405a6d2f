#include <vector>

#include "engine/passes/expansion.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// A, a_scale, a_zero_point, B, b_scale, b_zero_point, C, y_scale, y_zero_point; the last three may be absent.
constexpr size_t kBias = 6, kYScale = 7, kYZeroPoint = 8;

// What one step of C is worth: alpha * a_scale * b_scale.
Tensor BiasScale(float alpha, const Tensor& a_scale, const Tensor& b_scale) {
  Tensor scale = b_scale.Clone();
  for (float& value : scale.mutable_values<float>()) value *= alpha * a_scale.values<float>()[0];
  return scale;
}

}  // namespace

std::optional<Patch> ExpandQGemm(const Matcher& matcher, const Node& node) {
  if (node.op != "com.microsoft.QGemm" || !HasOneOutput(node)) return std::nullopt;
  const std::optional<QuantizedValue> a = QuantizedInput(node, 0), b = QuantizedInput(node, 3);
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  const Tensor* a_scale = ScaleConstant(matcher, a->scale);
  const Tensor* b_scale = ScaleConstant(matcher, b->scale);
  if (a_scale == nullptr || b_scale == nullptr || a_scale->num_elements() != 1) return std::nullopt;
  const bool per_column = b_scale->num_elements() != 1;
  const auto input = [&](size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; };
  if ((input(kYScale) == kNoValue) != (input(kYZeroPoint) == kNoValue)) return std::nullopt;
  const Tensor* bias = matcher.graph().ConstantOf(input(kBias));
  if (input(kBias) != kNoValue) {
    const bool fits = bias != nullptr && (!per_column || (bias->rank() > 0 && bias->dim(-1) == b_scale->dim(0)));
    if (!fits) return std::nullopt;
  }

  Expansion expansion(matcher, node);
  Attributes attributes = node.attributes;
  std::vector<ValueId> inputs = {expansion.Dequantize(*a),
                                 expansion.Dequantize(*b, attributes.Int("transB", 0) != 0 ? 0 : 1)};
  if (bias != nullptr) {
    const Tensor scale = BiasScale(attributes.Float("alpha", 1), *a_scale, *b_scale);
    inputs.push_back(expansion.DequantizeSums(input(kBias), scale, bias->rank() - 1));
  }
  const ValueId real = expansion.Compute("Gemm", std::move(inputs), std::move(attributes));
  if (input(kYScale) == kNoValue) return std::move(expansion).Real(real);
  return std::move(expansion).Quantized(real, input(kYScale), input(kYZeroPoint));
}

}  // namespace tandem::engine
