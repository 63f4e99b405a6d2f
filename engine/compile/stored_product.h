// StoredProduct: the arithmetic around a convolution or matrix product whose operands are stored as 8-bit integers.
//
// oneDNN accumulates integers and gives post_ops(accumulator * scale[channel] + bias). Post-ops see results in some
// *unit*: a number that stands for `unit` times itself. Choosing the unit well makes conversions vanish: in units of
// the residual's scale a residual sum adds the stored integers as they lie, and where only rectifiers follow, units of
// the result's own scale leave nothing to multiply at the end.
#ifndef TANDEM_ENGINE_COMPILE_STORED_PRODUCT_H_
#define TANDEM_ENGINE_COMPILE_STORED_PRODUCT_H_

#include <optional>
#include <vector>

#include "dnnl.hpp"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/plan_builder.h"
#include "engine/graph.h"

namespace tandem::engine {

class StoredProduct {
 public:
  // The product of inputs 0 and 1 of `node`, and the bias that may be input 2; nothing unless input 0 is stored and
  // input 1 is a constant stored around zero, with one scale or one for each of the `channels` of the result along
  // `channel_axis` of the constant; its products are summed over `summed_axis`. Nothing, too, where the CPU could cut
  // sums of products off (saturation.h).
  static std::optional<StoredProduct> Of(PlanBuilder& builder, const Node& node, int64_t channels, int64_t channel_axis,
                                         int64_t summed_axis);

  dnnl::memory::data_type source_type() const;
  // What the result is stored as: its quantization's type, else float32.
  dnnl::memory::data_type result_type() const;
  bool has_bias() const { return bias_.defined(); }

  // Attributes without post-ops: with them oneDNN chooses layouts. `weights_mask`: the channel's dimensions in oneDNN's
  // view of the weights.
  dnnl::primitive_attr Attributes(int weights_mask) const;

  // Adds post-ops to `attributes` for a result that lies as `result` says, and to `arguments` all that the product
  // needs but source, weights and destination: scales, zero points, bias (described by `bias`), operands of post-ops.
  // False when a post-op cannot be one.
  bool Finish(const dnnl::memory::desc& result, const dnnl::memory::desc& bias, dnnl::primitive_attr& attributes,
              std::vector<DnnlArgument>& arguments);

 private:
  StoredProduct(PlanBuilder& builder, const Node& node) : builder_(builder), node_(node) {}
  // The scale of the operand that `post_op` adds as it is stored, or nothing.
  const Quantization* StoredAddend(const PostOp& post_op) const;
  float FirstUnit() const;
  bool Append(const PostOp& post_op, const dnnl::memory::desc& result, dnnl::post_ops& post_ops,
              std::vector<DnnlArgument>& arguments);
  void Rescale(float to, float shift, dnnl::post_ops& post_ops);

  PlanBuilder& builder_;
  const Node& node_;
  std::vector<float> scales_;  // of accumulators, in the first unit
  Tensor bias_;                // in the first unit; undefined: none
  float unit_ = 1;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_STORED_PRODUCT_H_
