#include <cmath>

#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

bool Near(std::optional<float> value, double expected) {
  return value.has_value() && std::abs(*value - expected) <= 1e-5 * std::abs(expected);
}

// The x of Erf(x / sqrt 2) + 1, or kNoValue.
ValueId OnePlusErf(const Matcher& matcher, ValueId id) {
  const Node* add = matcher.Producer(id, "Add");
  if (add == nullptr) return kNoValue;
  const int one = matcher.Operand(*add, [&](ValueId input) { return Near(matcher.Scalar(input), 1); });
  if (one < 0) return kNoValue;
  const Node* erf = matcher.Producer(add->inputs[1 - one], "Erf");
  if (erf == nullptr) return kNoValue;
  if (const Node* div = matcher.Producer(erf->inputs[0], "Div")) {
    return Near(matcher.Scalar(div->inputs[1]), std::sqrt(2.0)) ? div->inputs[0] : kNoValue;
  }
  const Node* mul = matcher.Producer(erf->inputs[0], "Mul");
  if (mul == nullptr) return kNoValue;
  const int root = matcher.Operand(*mul, [&](ValueId input) { return Near(matcher.Scalar(input), std::sqrt(0.5)); });
  return root < 0 ? kNoValue : mul->inputs[1 - root];
}

// Collects the factors of a product of up to four, as exporters nest them.
void Factors(const Matcher& matcher, const Node& mul, int depth, std::vector<ValueId>& factors) {
  for (ValueId input : mul.inputs) {
    const Node* inner = depth > 0 ? matcher.Producer(input, "Mul") : nullptr;
    if (inner != nullptr && matcher.IsPassedOn(input)) {
      Factors(matcher, *inner, depth - 1, factors);
    } else {
      factors.push_back(input);
    }
  }
}

}  // namespace

std::optional<Patch> RecognizeGelu(const Matcher& matcher, const Node& node) {
  if (node.op != "Mul" || !node.post_ops.empty()) return std::nullopt;
  std::vector<ValueId> factors;
  Factors(matcher, node, 2, factors);
  if (factors.size() != 3) return std::nullopt;
  ValueId x = kNoValue, gate_x = kNoValue;
  bool half = false;
  for (ValueId factor : factors) {
    if (Near(matcher.Scalar(factor), 0.5)) {
      half = true;
    } else if (const ValueId inner = OnePlusErf(matcher, factor); inner != kNoValue) {
      gate_x = inner;
    } else {
      x = factor;
    }
  }
  if (!half || x == kNoValue || x != gate_x) return std::nullopt;
  Node gelu;
  gelu.op = "Gelu";
  gelu.name = node.name;
  gelu.inputs = {x};
  return ReplaceNode(matcher, node, std::move(gelu));
}

}  // namespace tandem::engine
