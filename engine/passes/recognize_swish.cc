#include <cmath>

#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

bool Near(std::optional<float> value, float expected) {
  return value.has_value() && std::abs(*value - expected) <= 1e-6f * std::abs(expected);
}

// The x of Clip(x + 3, 0, 6), or kNoValue.
ValueId ShiftedClip(const Matcher& matcher, ValueId id) {
  const Node* clip = matcher.Producer(id, "Clip");
  if (clip == nullptr || clip->inputs.size() != 3 || matcher.Scalar(clip->inputs[1]) != 0.0f ||
      matcher.Scalar(clip->inputs[2]) != 6.0f) {
    return kNoValue;
  }
  const Node* add = matcher.Producer(clip->inputs[0], "Add");
  if (add == nullptr) return kNoValue;
  const int three = matcher.Operand(*add, [&](ValueId input) { return matcher.Scalar(input) == 3.0f; });
  return three < 0 ? kNoValue : add->inputs[1 - three];
}

// `node` divides its input by six, one way or the other: that input, else kNoValue.
ValueId DividedBySix(const Matcher& matcher, const Node& node) {
  if (node.inputs.size() != 2 || !node.post_ops.empty()) return kNoValue;
  if (node.op == "Div" && matcher.Scalar(node.inputs[1]) == 6.0f) return node.inputs[0];
  if (node.op != "Mul") return kNoValue;
  const int sixth = matcher.Operand(node, [&](ValueId input) { return Near(matcher.Scalar(input), 1.0f / 6); });
  return sixth < 0 ? kNoValue : node.inputs[1 - sixth];
}

std::optional<Patch> Unary(const Matcher& matcher, const Node& node, const char* op, ValueId x, Attributes attributes) {
  Node unary;
  unary.op = op;
  unary.name = node.name;
  unary.inputs = {x};
  unary.attributes = std::move(attributes);
  return ReplaceNode(matcher, node, std::move(unary));
}

std::optional<Patch> FromSix(const Matcher& matcher, const Node& node) {
  const ValueId divided = DividedBySix(matcher, node);
  if (divided == kNoValue) return std::nullopt;
  if (const ValueId x = ShiftedClip(matcher, divided); x != kNoValue) {
    Attributes attributes;
    attributes.Set("alpha", 1.0f / 6);
    attributes.Set("beta", 0.5f);
    return Unary(matcher, node, "HardSigmoid", x, std::move(attributes));
  }
  const Node* product = matcher.Producer(divided, "Mul");
  if (product == nullptr) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    const ValueId x = ShiftedClip(matcher, product->inputs[i]);
    if (x != kNoValue && x == product->inputs[1 - i]) return Unary(matcher, node, "HardSwish", x, {});
  }
  return std::nullopt;
}

bool IsHardSwishGate(const Node& gate) {
  return gate.op == "HardSigmoid" && std::abs(gate.attributes.Float("alpha", 0.2f) - 1.0f / 6) < 1e-6f &&
         gate.attributes.Float("beta", 0.5f) == 0.5f;
}

}  // namespace

std::optional<Patch> RecognizeSwish(const Matcher& matcher, const Node& node) {
  if (auto patch = FromSix(matcher, node)) return patch;
  if (node.op != "Mul" || node.inputs.size() != 2 || !node.post_ops.empty()) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    const ValueId x = node.inputs[1 - i];
    const Node* gate = matcher.Producer(node.inputs[i]);
    if (gate == nullptr || !gate->post_ops.empty() || gate->inputs.empty() || gate->inputs[0] != x) continue;
    if (gate->op == "Sigmoid") {
      Attributes attributes;
      attributes.Set("alpha", 1.0f);
      return Unary(matcher, node, "Swish", x, std::move(attributes));
    }
    if (IsHardSwishGate(*gate)) return Unary(matcher, node, "HardSwish", x, {});
  }
  return std::nullopt;
}

}  // namespace tandem::engine
