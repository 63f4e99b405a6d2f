#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// Unsigned weights around 128 are signed ones around 0, which is what fast kernels multiply.
Tensor Signed(const Tensor& tensor, Quantization& quantization) {
  if (quantization.type == DataType::kInt8) return tensor;
  Tensor result(DataType::kInt8, tensor.shape());
  const auto from = tensor.values<uint8_t>();
  const auto to = result.mutable_values<int8_t>();
  for (size_t i = 0; i < from.size(); ++i) to[i] = static_cast<int8_t>(from[i] - 128);
  quantization.type = DataType::kInt8;
  for (int32_t& zero_point : quantization.zero_points) zero_point -= 128;
  return result;
}

}  // namespace

std::optional<Patch> StoreWeights(const Matcher& matcher, const Node& node) {
  if (node.op != "DequantizeLinear") return std::nullopt;
  const Tensor* const tensor = matcher.graph().ConstantOf(node.inputs[0]);
  std::optional<Quantization> quantization = QuantizationOf(matcher.graph(), node);
  if (tensor == nullptr || !quantization.has_value() || matcher.graph().IsOutput(node.outputs[0])) return std::nullopt;
  Patch patch(matcher.graph());
  Tensor stored = Signed(*tensor, *quantization);
  patch.Replace(node.outputs[0], patch.AddConstant(std::move(stored), *std::move(quantization)));
  return patch;
}

}  // namespace tandem::engine
