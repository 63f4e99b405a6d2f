#include "engine/passes/channel_affine.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// The weights with each output channel multiplied by its scale.
Tensor ScaledWeights(const Tensor& weights, const ChannelAffine& affine, bool transposed, int64_t groups) {
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

Tensor FoldedBias(const Tensor* bias, const ChannelAffine& affine) {
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
  if ((!normalization && !IsArithmetic(node)) || !node.post_ops.empty()) return std::nullopt;
  for (ValueId result : node.inputs) {
    const Node* conv = matcher.Producer(result, "Conv");
    if (conv == nullptr) conv = matcher.Producer(result, "ConvTranspose");
    if (conv == nullptr || !matcher.IsPassedOn(result) || conv->num_operands > 0) continue;
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
    const std::optional<ChannelAffine> affine =
        normalization ? AffineOfBatchNormalization(matcher, node, channels)
                      : AffineOfArithmetic(matcher, node, result, channels, weights->shape().size());
    if (!affine.has_value()) continue;
    Patch patch(matcher.graph());
    Node folded = *conv;
    folded.inputs.resize(3, kNoValue);
    folded.inputs[1] = patch.AddConstant(ScaledWeights(*weights, *affine, transposed, groups));
    folded.inputs[2] = patch.AddConstant(FoldedBias(bias, *affine));
    const Value& output = matcher.value(node.outputs[0]);
    patch.Replace(node.outputs[0], patch.AddLike(std::move(folded), output));
    return patch;
  }
  return std::nullopt;
}

}  // namespace tandem::engine
