// What dynamic quantization writes behind every product: sums of integers are cast, scaled and shifted. With the cast
// inside, the scale and the shift become post-ops.
#include "engine/passes/rewrites.h"

namespace tandem::engine {

std::optional<Patch> RecognizeIntegerProduct(const Matcher& matcher, const Node& node) {
  if (node.op != "Cast" || matcher.value(node.outputs[0]).type != DataType::kFloat32) return std::nullopt;
  const Node* const product = matcher.Producer(node.inputs[0]);
  const bool fits = product != nullptr && (product->op == "MatMulInteger" || product->op == "ConvInteger") &&
                    matcher.IsPassedOn(node.inputs[0]);
  if (!fits) return std::nullopt;
  Node real = *product;
  real.op = "tandem." + product->op + "ToFloat";
  return ReplaceNode(matcher, node, std::move(real));
}

}  // namespace tandem::engine
