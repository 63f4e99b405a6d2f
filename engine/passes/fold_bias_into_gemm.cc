#include "engine/passes/rewrites.h"

namespace tandem::engine {

std::optional<Patch> FoldBiasIntoGemm(const Matcher& matcher, const Node& node) {
  if (node.op != "Add" || !node.post_ops.empty()) return std::nullopt;
  const int bias_index = matcher.Operand(node, [&](ValueId id) {
    const Tensor* constant = matcher.graph().ConstantOf(id);
    return constant != nullptr && constant->type() == DataType::kFloat32 && constant->rank() >= 1 &&
           constant->rank() <= 2 && constant->dim(-1) == constant->num_elements();
  });
  if (bias_index < 0) return std::nullopt;
  const ValueId product = node.inputs[1 - bias_index];
  const Node* matmul = matcher.Producer(product, "MatMul");
  if (matmul == nullptr || !matcher.IsPassedOn(product)) return std::nullopt;
  // Only matrices: Gemm has no batch. That the left side is one must be known from its shape.
  const std::optional<Shape>& left = matcher.value(matmul->inputs[0]).shape;
  const Tensor* right = matcher.graph().ConstantOf(matmul->inputs[1]);
  const ValueId bias = node.inputs[bias_index];
  if (!left.has_value() || left->size() != 2 || right == nullptr || right->rank() != 2 ||
      right->dim(1) != matcher.value(bias).constant.num_elements()) {
    return std::nullopt;
  }
  Node gemm;
  gemm.op = "Gemm";
  gemm.name = matmul->name;
  gemm.inputs = {matmul->inputs[0], matmul->inputs[1], bias};
  return ReplaceNode(matcher, node, std::move(gemm));
}

}  // namespace tandem::engine
