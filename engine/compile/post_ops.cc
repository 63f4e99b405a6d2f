#include "engine/compile/post_ops.h"

#include <cstring>

#include "engine/ops/op.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// The operator that `post_op` was before it was fused.
Node Unfused(const PostOp& post_op) {
  Node node;
  node.op = post_op.op;
  node.attributes.Set("alpha", post_op.alpha);
  node.attributes.Set("beta", post_op.beta);
  return node;
}

}  // namespace

absl::Status ApplyPostOps(const Node& node, const std::vector<Tensor>& inputs, Tensor& result) {
  for (const PostOp& post_op : node.post_ops) {
    const Node unfused = Unfused(post_op);
    const OpDef* op = FindOp(post_op.op);
    TANDEM_CHECK(op != nullptr, post_op.op);
    const Tensor before = result.Clone();
    const Tensor low = Tensor::Scalar<float>(post_op.alpha), high = Tensor::Scalar<float>(post_op.beta);
    std::vector<const Tensor*> arguments = {&before};
    if (post_op.op == "Clip") arguments = {&before, &low, &high};
    if (post_op.operand >= 0) {
      const Tensor* other = &inputs[post_op.operand];
      arguments =
          post_op.swapped ? std::vector<const Tensor*>{other, &before} : std::vector<const Tensor*>{&before, other};
    }
    KernelContext context(unfused, std::move(arguments), {result});
    TANDEM_RETURN_IF_ERROR(op->kernel(context));
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
