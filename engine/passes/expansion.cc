#include "engine/passes/expansion.h"

#include <cstring>
#include <utility>

namespace tandem::engine {

std::optional<QuantizedValue> QuantizedInput(const Node& node, size_t first) {
  const auto input = [&](size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; };
  const QuantizedValue found = {input(first), input(first + 1), input(first + 2)};
  if (found.value == kNoValue || found.scale == kNoValue) return std::nullopt;
  return found;
}

const Tensor* ScaleConstant(const Matcher& matcher, ValueId id) {
  const Tensor* constant = matcher.graph().ConstantOf(id);
  return constant != nullptr && constant->type() == DataType::kFloat32 ? constant : nullptr;
}

ValueId Expansion::Scalar(ValueId id) {
  const Tensor* constant = matcher_.graph().ConstantOf(id);
  if (constant == nullptr || constant->num_elements() != 1 || constant->rank() == 0) return id;
  return patch_.AddConstant(constant->Reshaped({}));
}

ValueId Expansion::Repeated(ValueId zero_point, int64_t count) {
  const Tensor* constant = matcher_.graph().ConstantOf(zero_point);
  if (constant == nullptr || constant->num_elements() != 1 || SizeOf(constant->type()) != 1) return zero_point;
  Tensor repeated(constant->type(), {count});
  std::memset(repeated.data(), *static_cast<const uint8_t*>(constant->data()), repeated.num_bytes());
  return patch_.AddConstant(std::move(repeated));
}

ValueId Expansion::Dequantize(QuantizedValue value, int64_t axis) {
  Node node;
  node.op = "DequantizeLinear";
  const Tensor* scale = matcher_.graph().ConstantOf(value.scale);
  if (scale != nullptr && scale->num_elements() != 1) {
    node.attributes.Set("axis", axis);
    node.inputs = {value.value, value.scale};
    if (value.zero_point != kNoValue) node.inputs.push_back(Repeated(value.zero_point, scale->num_elements()));
  } else {
    node.inputs = {value.value, Scalar(value.scale)};
    if (value.zero_point != kNoValue) node.inputs.push_back(Scalar(value.zero_point));
  }
  return patch_.Add(std::move(node), DataType::kFloat32, matcher_.value(value.value).shape);
}

ValueId Expansion::DequantizeSums(ValueId sums, Tensor scale, int64_t axis) {
  Node node;
  node.op = "DequantizeLinear";
  if (scale.num_elements() == 1)
    scale = scale.Reshaped({});
  else
    node.attributes.Set("axis", axis);
  node.inputs = {sums, patch_.AddConstant(std::move(scale))};
  return patch_.Add(std::move(node), DataType::kFloat32, matcher_.value(sums).shape);
}

ValueId Expansion::Compute(absl::string_view op, std::vector<ValueId> inputs, Attributes attributes) {
  Node node;
  node.op = std::string(op);
  node.name = node_.name;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  node.attributes.Erase("channels_last");  // the importer lets only 0 pass
  return patch_.Add(std::move(node), DataType::kFloat32, matcher_.value(node_.outputs[0]).shape);
}

Patch Expansion::Quantized(ValueId real, ValueId scale, ValueId zero_point) && {
  Node node;
  node.op = "QuantizeLinear";
  node.inputs = {real, Scalar(scale)};
  if (zero_point != kNoValue) node.inputs.push_back(Scalar(zero_point));
  const Value& output = matcher_.value(node_.outputs[0]);
  patch_.Replace(node_.outputs[0], patch_.Add(std::move(node), output.type, output.shape));
  return std::move(patch_);
}

Patch Expansion::Real(ValueId real) && {
  patch_.Replace(node_.outputs[0], real);
  return std::move(patch_);
}

}  // namespace tandem::engine
