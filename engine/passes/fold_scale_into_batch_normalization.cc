#include "engine/passes/channel_affine.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

std::optional<Patch> FoldScaleIntoBatchNormalization(const Matcher& matcher, const Node& node) {
  if (!IsArithmetic(node) || !node.post_ops.empty()) return std::nullopt;
  for (ValueId result : node.inputs) {
    const Node* normalization = matcher.Producer(result, "BatchNormalization");
    if (normalization == nullptr || !matcher.IsPassedOn(result)) continue;
    if (normalization->inputs.size() != 5 || normalization->outputs.size() != 1) continue;
    const std::optional<Shape>& shape = matcher.value(result).shape;
    const Tensor* scale = FloatConstant(matcher, normalization->inputs[1]);
    const Tensor* shift = FloatConstant(matcher, normalization->inputs[2]);
    if (!shape.has_value() || shape->size() < 2 || scale == nullptr || shift == nullptr) continue;
    const int64_t channels = scale->num_elements();
    if (shift->num_elements() != channels) continue;
    const auto affine = AffineOfArithmetic(matcher, node, result, channels, shape->size());
    if (!affine.has_value()) continue;
    Tensor new_scale(DataType::kFloat32, {channels}), new_shift(DataType::kFloat32, {channels});
    for (int64_t c = 0; c < channels; ++c) {
      new_scale.mutable_values<float>()[c] = static_cast<float>(scale->values<float>()[c] * affine->scale[c]);
      new_shift.mutable_values<float>()[c] =
          static_cast<float>(shift->values<float>()[c] * affine->scale[c] + affine->shift[c]);
    }
    Patch patch(matcher.graph());
    Node folded = *normalization;
    folded.inputs[1] = patch.AddConstant(std::move(new_scale));
    folded.inputs[2] = patch.AddConstant(std::move(new_shift));
    const Value& output = matcher.value(node.outputs[0]);
    patch.Replace(node.outputs[0], patch.AddLike(std::move(folded), output));
    return patch;
  }
  return std::nullopt;
}

}  // namespace tandem::engine
