// Which operators can take an elementwise successor into themselves, and which successors.
#include "engine/passes/rewrites.h"
#include "engine/post_op.h"

namespace tandem::engine {

namespace {

constexpr size_t kMostPostOps = 16;  // oneDNN takes 32

bool IsBinary(const Node& node) { return node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div"; }

// Whether `base` applies post-ops to its result without going over memory again.
bool TakesPostOps(const Matcher& matcher, const Node& base) {
  if (base.outputs.size() != 1) return false;
  const Value& output = matcher.value(base.outputs[0]);
  if (output.type != DataType::kFloat32 || !output.shape.has_value() || output.shape->empty()) return false;
  if (base.op == "Conv" || base.op == "ConvTranspose" || base.op == "Gemm") return true;
  if (base.op == "tandem.ConvIntegerToFloat") return true;
  if (base.op == "MatMul" || base.op == "tandem.MatMulIntegerToFloat") {
    const auto& a = matcher.value(base.inputs[0]).shape;
    const auto& b = matcher.value(base.inputs[1]).shape;
    return a.has_value() && b.has_value() && a->size() >= 2 && b->size() >= 2;
  }
  if (!IsBinary(base) || base.inputs.size() < 2) return false;
  // oneDNN's binary stretches one operand only.
  const auto& a = matcher.value(base.inputs[0]).shape;
  const auto& b = matcher.value(base.inputs[1]).shape;
  const bool commutes = base.op == "Add" || base.op == "Mul";
  return (a.has_value() && *a == *output.shape) || (commutes && b.has_value() && *b == *output.shape);
}

// Whether `operand` can be the second operand of a post-op on a result of shape `to`.
bool FitsAsOperand(const Matcher& matcher, ValueId operand, const Shape& to, const Node& base) {
  const Value& value = matcher.value(operand);
  if (value.type != DataType::kFloat32 || !value.shape.has_value() || value.shape->size() > to.size()) return false;
  const Shape& shape = *value.shape;
  if (shape == to) return true;
  const size_t offset = to.size() - shape.size();
  int own_axes = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && shape[i] != to[offset + i]) return false;
    if (shape[i] != 1) ++own_axes;
  }
  // Fast kernels know one scalar, or one value a channel (a column of products).
  if (own_axes == 0) return true;
  const bool image = base.op == "Conv" || base.op == "ConvTranspose" || base.op == "tandem.ConvIntegerToFloat";
  const size_t channel = image ? 1 : to.size() - 1;
  return own_axes == 1 && channel >= offset && shape[channel - offset] == to[channel] && to[channel] != 1;
}

std::optional<Patch> Fused(const Matcher& matcher, const Node& node, const Node& base, PostOp post_op,
                           ValueId operand) {
  Node fused = base;
  // What is rounded between the two stays rounded: quantizers let its range stand for a rectifier.
  if (const auto& rounded = matcher.value(base.outputs[0]).quantization; rounded.has_value()) {
    const float scale = rounded->scale();
    const float low = static_cast<float>((rounded->type == DataType::kInt8 ? -128 : 0) - rounded->zero_point());
    fused.post_ops.push_back({.op = "tandem.RoundTo", .alpha = scale});
    fused.post_ops.push_back({.op = "Clip", .alpha = low * scale, .beta = (low + 255) * scale});
  }
  if (operand != kNoValue) {
    post_op.operand = static_cast<int>(fused.inputs.size());
    fused.inputs.push_back(operand);
    ++fused.num_operands;
  }
  fused.post_ops.push_back(std::move(post_op));
  return ReplaceNode(matcher, node, std::move(fused));
}

const Node* FusibleBase(const Matcher& matcher, ValueId result) {
  const Node* base = matcher.Producer(result);
  const bool fusible = base != nullptr && matcher.HasOneReader(result) && base->post_ops.size() < kMostPostOps &&
                       TakesPostOps(matcher, *base);
  return fusible ? base : nullptr;
}

std::optional<Patch> FuseBinary(const Matcher& matcher, const Node& node) {
  if (!IsBinary(node) || node.inputs.size() != 2 || !node.post_ops.empty()) return std::nullopt;
  const std::optional<Shape>& to = matcher.value(node.outputs[0]).shape;
  if (!to.has_value()) return std::nullopt;
  const bool commutes = node.op == "Add" || node.op == "Mul";
  for (int side = 0; side < (commutes ? 2 : 1); ++side) {
    const ValueId result = node.inputs[side], operand = node.inputs[1 - side];
    const Node* base = FusibleBase(matcher, result);
    if (base == nullptr || operand == result || matcher.value(result).shape != to) continue;
    if (!FitsAsOperand(matcher, operand, *to, *base)) continue;
    return Fused(matcher, node, *base, PostOp{.op = node.op}, operand);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Patch> FusePostOp(const Matcher& matcher, const Node& node) {
  if (auto patch = FuseBinary(matcher, node)) return patch;
  if (!node.post_ops.empty() || node.outputs.size() != 1) return std::nullopt;
  const std::optional<PostOp> post_op = AsPostOp(matcher.graph(), node);
  if (!post_op.has_value()) return std::nullopt;
  const Node* base = matcher.Producer(node.inputs[0]);
  const bool normalizes = post_op->op == "Relu" && base != nullptr && base->op == "BatchNormalization" &&
                          base->post_ops.empty() && base->outputs.size() == 1 && matcher.IsPassedOn(node.inputs[0]);
  if (normalizes) return Fused(matcher, node, *base, *post_op, kNoValue);
  base = FusibleBase(matcher, node.inputs[0]);
  return base == nullptr ? std::nullopt : Fused(matcher, node, *base, *post_op, kNoValue);
}

}  // namespace tandem::engine
