#include "engine/passes/channel_affine.h"

#include <cmath>

namespace tandem::engine {

const Tensor* FloatConstant(const Matcher& matcher, ValueId id) {
  const Tensor* constant = matcher.graph().ConstantOf(id);
  return constant != nullptr && constant->type() == DataType::kFloat32 ? constant : nullptr;
}

bool IsArithmetic(const Node& node) {
  return node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div";
}

namespace {

// One value a channel from a constant that broadcasts along [N, C, spatial...] with `rank` dimensions; empty when it
// does not.
std::vector<double> PerChannel(const Tensor& constant, int64_t channels, size_t rank) {
  const auto values = constant.values<float>();
  if (constant.num_elements() == 1 && constant.rank() <= static_cast<int64_t>(rank)) {
    return std::vector<double>(channels, values[0]);
  }
  const auto from_back = static_cast<int64_t>(rank) - 1;  // the channel is axis 1
  if (constant.num_elements() != channels || constant.rank() < from_back ||
      constant.rank() > static_cast<int64_t>(rank) || constant.dim(-from_back) != channels) {
    return {};
  }
  return {values.begin(), values.end()};
}

}  // namespace

std::optional<ChannelAffine> AffineOfBatchNormalization(const Matcher& matcher, const Node& node, int64_t channels) {
  if (node.outputs.size() != 1 || node.inputs.size() != 5) return std::nullopt;
  if (node.attributes.Int("training_mode", 0) != 0) return std::nullopt;  // then the batch's own moments count
  const Tensor* parameters[4];
  for (int i = 0; i < 4; ++i) {
    parameters[i] = FloatConstant(matcher, node.inputs[1 + i]);
    if (parameters[i] == nullptr || parameters[i]->num_elements() != channels) return std::nullopt;
  }
  const double epsilon = node.attributes.Float("epsilon", 1e-5f);
  ChannelAffine affine;
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = parameters[0]->values<float>()[c] / std::sqrt(parameters[3]->values<float>()[c] + epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back(parameters[1]->values<float>()[c] - parameters[2]->values<float>()[c] * scale);
  }
  return affine;
}

std::optional<ChannelAffine> AffineOfArithmetic(const Matcher& matcher, const Node& node, ValueId result,
                                                int64_t channels, size_t rank) {
  if (node.inputs.size() != 2 || !node.post_ops.empty()) return std::nullopt;
  const bool first = node.inputs[0] == result;  // the only order that Sub and Div allow
  if (!first && node.op != "Add" && node.op != "Mul") return std::nullopt;
  const Tensor* constant = FloatConstant(matcher, node.inputs[first ? 1 : 0]);
  if (constant == nullptr) return std::nullopt;
  std::vector<double> values = PerChannel(*constant, channels, rank);
  if (values.empty()) return std::nullopt;
  const bool scales = node.op == "Mul" || node.op == "Div";
  for (double& value : values) value = node.op == "Div" ? 1 / value : node.op == "Sub" ? -value : value;
  const std::vector<double> neutral(channels, scales ? 0 : 1);
  return scales ? ChannelAffine{values, neutral} : ChannelAffine{neutral, values};
}

}  // namespace tandem::engine
