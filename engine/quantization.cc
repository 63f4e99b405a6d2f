#include "engine/quantization.h"

#include <cmath>

#include "engine/graph.h"

namespace tandem::engine {

namespace {

// Zero points of 8 bits as they are.
std::vector<int32_t> ZeroPoints(const Tensor& tensor) {
  std::vector<int32_t> values;
  if (tensor.type() == DataType::kUInt8) {
    for (uint8_t value : tensor.values<uint8_t>()) values.push_back(value);
  } else {
    for (int8_t value : tensor.values<int8_t>()) values.push_back(value);
  }
  return values;
}

}  // namespace

std::optional<Quantization> QuantizationOf(const Graph& graph, const Node& node) {
  const bool quantizes = node.op == "QuantizeLinear";
  if (!quantizes && node.op != "DequantizeLinear") return std::nullopt;
  if (!node.post_ops.empty() || node.attributes.Int("block_size", 0) != 0) return std::nullopt;
  const Tensor* const scales = graph.ConstantOf(node.inputs[1]);
  const bool has_zeros = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  const Tensor* const zeros = has_zeros ? graph.ConstantOf(node.inputs[2]) : nullptr;
  if (scales == nullptr || scales->type() != DataType::kFloat32 || scales->rank() > 1) return std::nullopt;
  if (has_zeros && (zeros == nullptr || zeros->num_elements() != scales->num_elements())) return std::nullopt;
  Quantization quantization;
  quantization.type = graph.value(quantizes ? node.outputs[0] : node.inputs[0]).type;
  if (quantization.type != DataType::kUInt8 && quantization.type != DataType::kInt8) return std::nullopt;
  quantization.scales.assign(scales->values<float>().begin(), scales->values<float>().end());
  for (float scale : quantization.scales) {
    if (!std::isfinite(scale) || scale <= 0) return std::nullopt;
  }
  quantization.zero_points = zeros != nullptr ? ZeroPoints(*zeros) : std::vector<int32_t>(quantization.scales.size());
  if (quantization.scales.size() == 1) return quantization;
  const std::optional<Shape>& shape = graph.value(node.inputs[0]).shape;
  if (!shape.has_value()) return std::nullopt;
  const auto rank = static_cast<int64_t>(shape->size());
  const int64_t axis = node.attributes.Int("axis", 1);
  quantization.axis = axis < 0 ? axis + rank : axis;
  return quantization;
}

}  // namespace tandem::engine
