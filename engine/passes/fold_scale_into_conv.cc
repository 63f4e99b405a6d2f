#include <cmath>
#include <vector>

#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// y = x * scale + shift, one of each a channel.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

const Tensor* FloatConstant(const Matcher& matcher, ValueId id) {
  const Tensor* constant = matcher.graph().ConstantOf(id);
  return constant != nullptr && constant->type() == DataType::kFloat32 ? constant : nullptr;
}

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

std::optional<Affine> FromBatchNormalization(const Matcher& matcher, const Node& node, int64_t channels) {
  if (node.outputs.size() != 1 || node.inputs.size() != 5) return std::nullopt;
  const Tensor* parameters[4];
  for (int i = 0; i < 4; ++i) {
    parameters[i] = FloatConstant(matcher, node.inputs[1 + i]);
    if (parameters[i] == nullptr || parameters[i]->num_elements() != channels) return std::nullopt;
  }
  const double epsilon = node.attributes.Float("epsilon", 1e-5f);
  Affine affine;
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = parameters[0]->values<float>()[c] / std::sqrt(parameters[3]->values<float>()[c] + epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back(parameters[1]->values<float>()[c] - parameters[2]->values<float>()[c] * scale);
  }
  return affine;
}

// Of Add, Sub, Mul, Div whose operand 0 (or, for the commutative ones, either) is the convolution's result.
std::optional<Affine> FromArithmetic(const Matcher& matcher, const Node& node, ValueId result, int64_t channels,
                                     size_t rank) {
  if (node.inputs.size() != 2 || !node.post_ops.empty()) return std::nullopt;
  const bool first = node.inputs[0] == result;
  if (!first && node.op != "Add" && node.op != "Mul") return std::nullopt;
  const Tensor* constant = FloatConstant(matcher, node.inputs[first ? 1 : 0]);
  if (constant == nullptr) return std::nullopt;
  std::vector<double> values = PerChannel(*constant, channels, rank);
  if (values.empty()) return std::nullopt;
  const bool scales = node.op == "Mul" || node.op == "Div";
  for (double& value : values) value = node.op == "Div" ? 1 / value : node.op == "Sub" ? -value : value;
  const std::vector<double> neutral(channels, scales ? 0 : 1);
  return scales ? Affine{values, neutral} : Affine{neutral, values};
}

// The weights with each output channel multiplied by its scale.
Tensor ScaledWeights(const Tensor& weights, const Affine& affine, bool transposed, int64_t groups) {
  Tensor scaled = weights.Clone();
  const auto values = scaled.mutable_values<float>();
  const int64_t channels = static_cast<int64_t>(affine.scale.size());
  if (!transposed) {  // [out, in / groups, ...]
    const int64_t inner = scaled.num_elements() / channels;
    for (int64_t i = 0; i < scaled.num_elements(); ++i) values[i] *= static_cast<float>(affine.scale[i / inner]);
    return scaled;
  }
  // [in, out / groups, ...]: the group of an input channel tells which outputs its row feeds.
  const int64_t rows = weights.dim(0), columns = weights.dim(1);
  const int64_t inner = scaled.num_elements() / (rows * columns);
  for (int64_t i = 0; i < scaled.num_elements(); ++i) {
    const int64_t group = i / (columns * inner) / (rows / groups);
    values[i] *= static_cast<float>(affine.scale[group * columns + i / inner % columns]);
  }
  return scaled;
}

Tensor FoldedBias(const Tensor* bias, const Affine& affine) {
  const auto channels = static_cast<int64_t>(affine.scale.size());
  Tensor folded(DataType::kFloat32, {channels});
  for (int64_t c = 0; c < channels; ++c) {
    const double before = bias != nullptr ? bias->values<float>()[c] : 0;
    folded.mutable_values<float>()[c] = static_cast<float>(before * affine.scale[c] + affine.shift[c]);
  }
  return folded;
}

}  // namespace

std::optional<Patch> FoldScaleIntoConv(const Matcher& matcher, const Node& node) {
  const bool normalization = node.op == "BatchNormalization";
  const bool arithmetic = node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div";
  if ((!normalization && !arithmetic) || !node.post_ops.empty()) return std::nullopt;
  for (ValueId result : node.inputs) {
    const Node* conv = matcher.Producer(result, "Conv");
    if (conv == nullptr) conv = matcher.Producer(result, "ConvTranspose");
    if (conv == nullptr || !matcher.HasOneReader(result) || conv->num_operands > 0) continue;
    const Tensor* weights = FloatConstant(matcher, conv->inputs[1]);
    const bool has_bias = conv->inputs.size() > 2 && conv->inputs[2] != kNoValue;
    const Tensor* bias = has_bias ? FloatConstant(matcher, conv->inputs[2]) : nullptr;
    if (weights == nullptr || weights->rank() < 3 || (has_bias && bias == nullptr)) continue;
    const bool transposed = conv->op == "ConvTranspose";
    const int64_t groups = conv->attributes.Int("group", 1);
    if (groups < 1 || (transposed && weights->dim(0) % groups != 0)) continue;
    const int64_t channels = transposed ? weights->dim(1) * groups : weights->dim(0);
    if (channels == 0 || weights->num_elements() == 0) continue;
    if (bias != nullptr && bias->num_elements() != channels) continue;
    const std::optional<Affine> affine = normalization
                                             ? FromBatchNormalization(matcher, node, channels)
                                             : FromArithmetic(matcher, node, result, channels, weights->shape().size());
    if (!affine.has_value()) continue;
    Patch patch(matcher.graph());
    Node folded = *conv;
    folded.inputs.resize(3, kNoValue);
    folded.inputs[1] = patch.AddConstant(ScaledWeights(*weights, *affine, transposed, groups));
    folded.inputs[2] = patch.AddConstant(FoldedBias(bias, *affine));
    const Value& output = matcher.value(node.outputs[0]);
    patch.Replace(node.outputs[0], patch.Add(std::move(folded), output.type, output.shape));
    return patch;
  }
  return std::nullopt;
}

}  // namespace tandem::engine
