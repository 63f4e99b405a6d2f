// Elementwise operators of one and two operands.
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/eltwise.h"
#include "engine/compile/lowering.h"

namespace tandem::engine {

namespace {

using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;

memory::dims Stretched(const Shape& shape, size_t rank) {
  memory::dims dims(rank - shape.size(), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  return dims;
}

}  // namespace

bool LowerEltwise(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!IsDnnlFloat(builder, x)) return false;
  const std::optional<Eltwise> eltwise = EltwiseOf(builder.graph(), node);
  if (!eltwise.has_value()) return false;
  const Placement source = builder.Current(x);
  const memory::desc result = Compact(source.desc);
  dnnl::primitive_attr attributes = PlanAttributes();
  std::vector<DnnlArgument> arguments;
  if (!SetPostOps(builder, node, result, attributes, arguments)) return false;
  const dnnl::eltwise_forward::primitive_desc pd(DnnlEngine(), dnnl::prop_kind::forward_inference, eltwise->algorithm,
                                                 source.desc, result, eltwise->alpha, eltwise->beta, attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_SRC, source.buffer, source.desc});
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, result), result});
  AddPrimitive(builder, dnnl::eltwise_forward(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("eltwise", pd.impl_info_str(), node));
  return true;
}

bool LowerBinary(PlanBuilder& builder, const Node& node) {
  if (node.num_own_inputs() != 2) return false;
  ValueId a = node.inputs[0], b = node.inputs[1];
  const ValueId y = node.outputs[0];
  if (!IsDnnlFloat(builder, a) || !IsDnnlFloat(builder, b) || builder.shape(y).empty()) return false;
  const dnnl::algorithm algorithm = *BinaryAlgorithm(node.op);
  const bool commutes = algorithm == dnnl::algorithm::binary_add || algorithm == dnnl::algorithm::binary_mul;
  if (builder.shape(a) != builder.shape(y) && commutes) std::swap(a, b);
  if (builder.shape(a) != builder.shape(y)) return false;  // oneDNN stretches the second operand only

  const bool same = builder.shape(a) == builder.shape(b);
  // Two operands of one shape meet in the layout of the one that has blocks, for it came from a fast kernel.
  const bool follow_b = same && IsPlain(builder.Current(a).desc) && !IsPlain(builder.Current(b).desc);
  const memory::desc layout = Compact(builder.Current(follow_b ? b : a).desc);
  const memory::desc other = same ? layout : RowMajor(kF32, Stretched(builder.shape(b), builder.shape(y).size()));
  dnnl::primitive_attr attributes = PlanAttributes();
  std::vector<DnnlArgument> arguments;
  if (!SetPostOps(builder, node, layout, attributes, arguments)) return false;
  const dnnl::binary::primitive_desc pd(DnnlEngine(), algorithm, layout, other, layout, attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_SRC_0, builder.In(a, layout), layout});
  arguments.push_back({DNNL_ARG_SRC_1, same ? builder.In(b, layout) : builder.Dense(b), other});
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, layout), layout});
  AddPrimitive(builder, dnnl::binary(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("binary", pd.impl_info_str(), node));
  return true;
}

}  // namespace tandem::engine
