// IntegerProduct: the operands of MatMulInteger and ConvInteger, alone or with their sums cast to float32.
//
// The right operand is constant; the left one is computed, with a zero point that each run finds anew. They are
// multiplied as bytes, where oneDNN can and this CPU does it exactly, else, if the sums become real numbers anyway, as
// the real numbers that the bytes less their zero points are. What becomes a real number is right up to its rounding.
#ifndef TANDEM_ENGINE_COMPILE_INTEGER_PRODUCT_H_
#define TANDEM_ENGINE_COMPILE_INTEGER_PRODUCT_H_

#include <optional>
#include <vector>

#include "dnnl.hpp"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/plan_builder.h"
#include "engine/graph.h"

namespace tandem::engine {

class IntegerProduct {
 public:
  enum class Operands { kBytes, kReal };

  // The product that `node` is, of operands of one kind; nothing when it cannot be made of these. `channel_axis`: of
  // the weights, 0 or 1, the one that has a zero point for each position where there is not one for all; products are
  // summed along the other.
  static std::optional<IntegerProduct> Of(PlanBuilder& builder, const Node& node, Operands operands,
                                          int64_t channel_axis);

  dnnl::memory::data_type source_type() const;
  dnnl::memory::data_type weights_type() const;
  dnnl::memory::data_type result_type() const;
  // Whether zero points of the weights are left to add: never with real operands.
  bool has_weights_zero_points() const {
    return operands_ == Operands::kBytes && (!weights_.per_tensor() || weights_.zero_point() != 0);
  }

  // Sets zero points and, for a result that lies as `result` says, post-ops; adds the latter's operands to `arguments`.
  // False when a post-op cannot be one.
  bool SetAttributes(const dnnl::memory::desc& result, dnnl::primitive_attr& attributes,
                     std::vector<DnnlArgument>& arguments);

  // For a primitive that was made so, with a result that lies as `result` says: adds the zero points to `arguments`.
  void AddZeroPoints(const dnnl::memory::desc& result, std::vector<DnnlArgument>& arguments);
  // The left operand in the layout `desc`, of source_type().
  BufferId Source(const dnnl::memory::desc& desc);
  // The right operand, which is row-major and seen as `from`, in the layout `to`; both of weights_type().
  BufferId Weights(const dnnl::memory::desc& from, const dnnl::memory::desc& to);

 private:
  IntegerProduct(PlanBuilder& builder, const Node& node, Operands operands)
      : builder_(builder), node_(node), operands_(operands) {}
  bool has_source_zero_point() const { return node_.num_own_inputs() > 2 && node_.inputs[2] != kNoValue; }
  // What the product owes to zero points that differ by column, which oneDNN takes none of: a matrix as large as the
  // result.
  BufferId OwedToColumns();

  PlanBuilder& builder_;
  const Node& node_;
  const Operands operands_;
  Quantization weights_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_INTEGER_PRODUCT_H_
