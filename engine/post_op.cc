#include "engine/post_op.h"

#include <limits>

namespace tandem::engine {

namespace {

struct Parameters {
  absl::string_view op;
  float alpha, beta;  // defaults of the attributes alpha and beta
};
constexpr Parameters kOperators[] = {
    {"Abs", 0, 0},       {"Elu", 1, 0},           {"Exp", 0, 0},  {"HardSigmoid", 0.2f, 0.5f},
    {"HardSwish", 0, 0}, {"LeakyRelu", 0.01f, 0}, {"Log", 0, 0},  {"Mish", 0, 0},
    {"Relu", 0, 0},      {"Sigmoid", 0, 0},       {"Sqrt", 0, 0}, {"Swish", 1, 0},
    {"Tanh", 0, 0},
};

// A bound of Clip: `fallback` when it is absent, nothing when it is no constant.
std::optional<float> ClipBound(const Graph& graph, const Node& node, int index, float fallback) {
  if (index >= node.num_own_inputs() || node.inputs[index] == kNoValue) return fallback;
  const Tensor* constant = graph.ConstantOf(node.inputs[index]);
  if (constant == nullptr || constant->type() != DataType::kFloat32 || constant->num_elements() != 1) {
    return std::nullopt;
  }
  return constant->values<float>()[0];
}

}  // namespace

std::optional<PostOp> AsPostOp(const Graph& graph, const Node& node) {
  if (node.op == "Clip") {
    const std::optional<float> low = ClipBound(graph, node, 1, std::numeric_limits<float>::lowest());
    const std::optional<float> high = ClipBound(graph, node, 2, std::numeric_limits<float>::max());
    if (!low.has_value() || !high.has_value() || *low > *high) return std::nullopt;
    return PostOp{.op = "Clip", .alpha = *low, .beta = *high};
  }
  // The tanh approximation is an attribute that a PostOp has no room for.
  if (node.op == "Gelu" && node.attributes.String("approximate", "none") == "none") return PostOp{.op = "Gelu"};
  for (const Parameters& parameters : kOperators) {
    if (parameters.op != node.op) continue;
    return PostOp{.op = node.op,
                  .alpha = node.attributes.Float("alpha", parameters.alpha),
                  .beta = node.attributes.Float("beta", parameters.beta)};
  }
  return std::nullopt;
}

}  // namespace tandem::engine
