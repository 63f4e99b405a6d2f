#include <vector>

#include "engine/passes/expansion.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias.
constexpr size_t kX = 0, kW = 3, kYScale = 6, kYZeroPoint = 7, kBias = 8;

bool FitsScales(const Matcher& matcher, ValueId zero_point, int64_t scales) {
  const Tensor* constant = matcher.graph().ConstantOf(zero_point);
  return constant != nullptr && (constant->num_elements() == 1 || constant->num_elements() == scales);
}

// What one step of the bias is worth, a channel or for all of them.
Tensor BiasScale(const Tensor& x_scale, const Tensor& w_scale) {
  Tensor scale = w_scale.Clone();
  for (float& value : scale.mutable_values<float>()) value *= x_scale.values<float>()[0];
  return scale;
}

}  // namespace

std::optional<Patch> ExpandQLinearConv(const Matcher& matcher, const Node& node) {
  if (node.op != "QLinearConv" && node.op != "com.microsoft.QLinearConv") return std::nullopt;
  if (!HasOneOutput(node) || node.inputs.size() <= kYZeroPoint || node.inputs[kYZeroPoint] == kNoValue)
    return std::nullopt;
  const std::optional<QuantizedValue> x = QuantizedInput(node, kX), w = QuantizedInput(node, kW);
  if (!x.has_value() || !w.has_value()) return std::nullopt;
  const Tensor* x_scale = ScaleConstant(matcher, x->scale);
  const Tensor* w_scale = ScaleConstant(matcher, w->scale);
  const Tensor* y_scale = ScaleConstant(matcher, node.inputs[kYScale]);
  if (x_scale == nullptr || w_scale == nullptr || y_scale == nullptr) return std::nullopt;
  if (x_scale->num_elements() != 1 || w_scale->rank() > 1 || w_scale->num_elements() == 0) return std::nullopt;
  if (!FitsScales(matcher, w->zero_point, w_scale->num_elements())) return std::nullopt;

  Expansion expansion(matcher, node);
  std::vector<ValueId> inputs = {expansion.Dequantize(*x), expansion.Dequantize(*w, 0)};
  if (node.inputs.size() > kBias && node.inputs[kBias] != kNoValue) {
    inputs.push_back(expansion.DequantizeSums(node.inputs[kBias], BiasScale(*x_scale, *w_scale), 0));
  }
  const ValueId real = expansion.Compute("Conv", std::move(inputs), node.attributes);
  return std::move(expansion).Quantized(real, node.inputs[kYScale], node.inputs[kYZeroPoint]);
}

}  // namespace tandem::engine
