// MatMul and Gemm.
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/eltwise.h"
#include "engine/compile/lowering.h"
#include "engine/compile/stored_product.h"

namespace tandem::engine {

namespace {

using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;

// One side of a product as oneDNN's matmul sees it.
struct Side {
  ValueId value;
  memory::desc desc;  // how the value's row-major (or own, see `own_buffer`) bytes are to be read
  BufferId own_buffer = kNoBuffer;
};

// Whether matmul reads `desc` well: plain, with unit stride in one of the two last dimensions.
bool IsMatrixLayout(const memory::desc& desc) {
  if (!IsPlain(desc)) return false;
  const auto strides = desc.get_strides();
  const size_t rank = strides.size();
  return rank >= 2 && (strides[rank - 1] == 1 || strides[rank - 2] == 1);
}

bool EmitProduct(PlanBuilder& builder, const Node& node, const Side& a, const Side& b, const memory::desc& result,
                 ValueId bias, const memory::desc& bias_desc) {
  const bool packs = builder.graph().ConstantOf(b.value) != nullptr;
  const memory::desc weights = packs ? AnyLayout(kF32, b.desc.get_dims()) : b.desc;
  dnnl::primitive_attr attributes = PlanAttributes();
  std::vector<DnnlArgument> arguments;
  if (!SetPostOps(builder, node, result, attributes, arguments)) return false;
  const dnnl::matmul::primitive_desc pd(DnnlEngine(), a.desc, weights, bias_desc, result, attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  const BufferId left = a.own_buffer != kNoBuffer ? a.own_buffer : builder.Dense(a.value);
  const BufferId right = b.own_buffer != kNoBuffer ? b.own_buffer : builder.InAs(b.value, b.desc, pd.weights_desc());
  arguments.push_back({DNNL_ARG_SRC, left, a.desc});
  arguments.push_back({DNNL_ARG_WEIGHTS, right, pd.weights_desc()});
  if (bias != kNoValue) arguments.push_back({DNNL_ARG_BIAS, builder.Dense(bias), bias_desc});
  arguments.push_back({DNNL_ARG_DST, builder.DefineDense(node.outputs[0]), result});
  AddPrimitive(builder, dnnl::matmul(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("matmul", pd.impl_info_str(), node));
  return true;
}

// The product of all rows of input 0 and input 1, a matrix, over integers where they are stored as such.
bool EmitStored(PlanBuilder& builder, const Node& node, bool transposed_a, bool transposed_b) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  const Shape& b = builder.shape(w);
  const int64_t k = b[transposed_b ? 1 : 0], n = b[transposed_b ? 0 : 1], m = NumElements(builder.shape(y)) / n;
  std::optional<StoredProduct> product =
      StoredProduct::Of(builder, node, n, transposed_b ? 0 : 1, transposed_b ? 1 : 0);
  if (!product.has_value()) return false;
  const auto matrix = [](memory::data_type type, int64_t rows, int64_t columns, bool transposed) {
    if (!transposed) return RowMajor(type, {rows, columns});
    return RowMajor(type, {columns, rows}).permute_axes({1, 0});
  };
  const memory::desc source = matrix(product->source_type(), m, k, transposed_a);
  const memory::desc result = RowMajor(product->result_type(), {m, n});
  const memory::desc bias = product->has_bias() ? RowMajor(kF32, {1, n}) : memory::desc();
  dnnl::primitive_attr attributes = product->Attributes(1 << 1);
  std::vector<DnnlArgument> arguments;
  if (!product->Finish(result, bias, attributes, arguments)) return false;
  const dnnl::matmul::primitive_desc pd(DnnlEngine(), source, AnyLayout(memory::data_type::s8, {k, n}), bias, result,
                                        attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  const BufferId from = builder.In(x, RowMajor(product->source_type(), DnnlDims(builder.shape(x))));
  const memory::desc weights = matrix(memory::data_type::s8, k, n, transposed_b);
  const BufferId to = builder.DefineIn(y, RowMajor(product->result_type(), DnnlDims(builder.shape(y))));
  arguments.push_back({DNNL_ARG_SRC, from, source});
  arguments.push_back({DNNL_ARG_WEIGHTS, builder.InAs(w, weights, pd.weights_desc()), pd.weights_desc()});
  arguments.push_back({DNNL_ARG_DST, to, result});
  AddPrimitive(builder, dnnl::matmul(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("matmul", pd.impl_info_str(), node));
  return true;
}

bool TryStored(PlanBuilder& builder, const Node& node, bool transposed_a, bool transposed_b) {
  try {
    return EmitStored(builder, node, transposed_a, transposed_b);
  } catch (const dnnl::error&) {  // no such kernel
    return false;
  }
}

bool AllFloat(const PlanBuilder& builder, const Node& node) {
  for (ValueId input : node.inputs) {
    if (input != kNoValue && !IsDnnlFloat(builder, input)) return false;
  }
  return IsDnnlFloat(builder, node.outputs[0]);
}

// A value of rank >= 2 in its own layout when matmul reads that, else row-major.
Side SideOf(PlanBuilder& builder, ValueId id) {
  const Placement& current = builder.Current(id);
  if (builder.graph().ConstantOf(id) == nullptr && IsMatrixLayout(current.desc)) {
    return {id, current.desc, current.buffer};
  }
  return {id, builder.RowMajorOf(id)};
}

}  // namespace

bool LowerMatMul(PlanBuilder& builder, const Node& node) {
  if (!AllFloat(builder, node)) return false;
  const Shape& a = builder.shape(node.inputs[0]);
  const Shape& b = builder.shape(node.inputs[1]);
  const Shape& y = builder.shape(node.outputs[0]);
  if (a.size() < 2 || b.size() < 2) return false;
  const int64_t k = a.back(), n = b.back();
  if (b.size() == 2) {  // all rows of `a` against one matrix: a single product
    if (TryStored(builder, node, false, false)) return true;
    const int64_t m = NumElements(a) / k;
    return EmitProduct(builder, node, {node.inputs[0], RowMajor(kF32, {m, k})},
                       {node.inputs[1], builder.RowMajorOf(node.inputs[1])}, RowMajor(kF32, {m, n}), kNoValue, {});
  }
  if (a.size() != b.size()) return false;
  return EmitProduct(builder, node, SideOf(builder, node.inputs[0]), SideOf(builder, node.inputs[1]),
                     RowMajor(kF32, DnnlDims(y)), kNoValue, {});
}

bool LowerGemm(PlanBuilder& builder, const Node& node) {
  if (!AllFloat(builder, node) || node.attributes.Float("alpha", 1) != 1) return false;
  const Shape& a = builder.shape(node.inputs[0]);
  const Shape& b = builder.shape(node.inputs[1]);
  const Shape& y = builder.shape(node.outputs[0]);
  const auto matrix = [](const Shape& shape, bool transposed) {
    const memory::desc desc = RowMajor(kF32, {shape[0], shape[1]});
    return transposed ? desc.permute_axes({1, 0}) : desc;
  };
  if (node.attributes.Float("beta", 1) == 1 &&
      TryStored(builder, node, node.attributes.Int("transA", 0) != 0, node.attributes.Int("transB", 0) != 0)) {
    return true;
  }
  ValueId bias = node.num_own_inputs() > 2 ? node.inputs[2] : kNoValue;
  memory::desc bias_desc;
  if (bias != kNoValue) {
    const Shape& c = builder.shape(bias);
    if (node.attributes.Float("beta", 1) != 1 || c.empty() || c.back() != y[1] || NumElements(c) != y[1]) return false;
    bias_desc = RowMajor(kF32, {1, y[1]});
  }
  return EmitProduct(builder, node, {node.inputs[0], matrix(a, node.attributes.Int("transA", 0) != 0)},
                     {node.inputs[1], matrix(b, node.attributes.Int("transB", 0) != 0)}, RowMajor(kF32, {y[0], y[1]}),
                     bias, bias_desc);
}

}  // namespace tandem::engine
