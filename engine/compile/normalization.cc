#include "engine/compile/normalization.h"

#include <cmath>
#include <vector>

#include "absl/types/span.h"
#include "engine/compile/lowering.h"

namespace tandem::engine {

std::optional<ChannelNumbers> NumbersOfNormalization(const PlanBuilder& builder, const Node& node) {
  if (node.op != "BatchNormalization" || node.outputs.size() != 1 || node.num_own_inputs() != 5) return std::nullopt;
  if (node.attributes.Int("training_mode", 0) != 0) return std::nullopt;
  if (builder.value(node.inputs[0]).type != DataType::kFloat32) return std::nullopt;
  std::vector<absl::Span<const float>> parameters;  // scale, shift, mean, variance
  for (int i = 1; i < 5; ++i) {
    const Tensor* const constant = RealConstant(builder, node.inputs[i]);
    if (constant == nullptr) return std::nullopt;
    parameters.push_back(constant->values<float>());
  }
  const auto channels = static_cast<int64_t>(parameters[0].size());
  const float epsilon = node.attributes.Float("epsilon", 1e-5f);
  ChannelNumbers numbers{Tensor(DataType::kFloat32, {channels}), Tensor(DataType::kFloat32, {channels})};
  for (int64_t c = 0; c < channels; ++c) {
    const double factor = parameters[0][c] / std::sqrt(static_cast<double>(parameters[3][c]) + epsilon);
    numbers.scale.mutable_values<float>()[c] = static_cast<float>(factor);
    numbers.shift.mutable_values<float>()[c] = static_cast<float>(parameters[1][c] - parameters[2][c] * factor);
  }
  return numbers;
}

}  // namespace tandem::engine
