// Fast kernels multiply signed weights.
#include <algorithm>

#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// The same numbers less 128 each.
Tensor Signed(const Tensor& tensor) {
  Tensor result(DataType::kInt8, tensor.shape());
  const auto from = tensor.values<uint8_t>();
  std::transform(from.begin(), from.end(), result.mutable_values<int8_t>().begin(),
                 [](uint8_t value) { return static_cast<int8_t>(value - 128); });
  return result;
}

}  // namespace

std::optional<Patch> SignIntegerWeights(const Matcher& matcher, const Node& node) {
  if (node.op != "MatMulInteger" && node.op != "ConvInteger") return std::nullopt;
  const Tensor* const weights = matcher.graph().ConstantOf(node.inputs[1]);
  if (weights == nullptr || weights->type() != DataType::kUInt8) return std::nullopt;
  const bool has_zero_point = node.inputs.size() > 3 && node.inputs[3] != kNoValue;
  const Tensor* const zero_point = has_zero_point ? matcher.graph().ConstantOf(node.inputs[3]) : nullptr;
  if (has_zero_point && zero_point == nullptr) return std::nullopt;
  Patch patch(matcher.graph());
  Node with = node;
  with.inputs.resize(4, kNoValue);
  with.inputs[1] = patch.AddConstant(Signed(*weights));
  with.inputs[3] = patch.AddConstant(has_zero_point ? Signed(*zero_point) : Tensor::Scalar<int8_t>(-128));
  patch.Replace(node.outputs[0], patch.AddLike(std::move(with), matcher.value(node.outputs[0])));
  return patch;
}

}  // namespace tandem::engine
