// Products of integers, MatMulInteger and ConvInteger, and DynamicQuantizeLinear, which makes their left operands.
#include "absl/strings/str_cat.h"
#include "engine/compile/conv_primitive.h"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/integer_product.h"
#include "engine/compile/kernel_step.h"
#include "engine/compile/lowering.h"
#include "engine/kernels/dynamic.h"

namespace tandem::engine {

namespace {

using dnnl::memory;
using Operands = IntegerProduct::Operands;

// All rows of the left operand against one matrix.
bool EmitMatMul(PlanBuilder& builder, const Node& node, Operands operands) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  std::optional<IntegerProduct> product = IntegerProduct::Of(builder, node, operands, 1);
  if (!product.has_value()) return false;
  const int64_t k = builder.shape(w)[0], n = builder.shape(w)[1], m = NumElements(builder.shape(y)) / n;
  const memory::desc source = RowMajor(product->source_type(), {m, k});
  const memory::desc result = RowMajor(product->result_type(), {m, n});
  dnnl::primitive_attr attributes = PlanAttributes();
  std::vector<DnnlArgument> arguments;
  if (!product->SetAttributes(result, attributes, arguments)) return false;
  const dnnl::matmul::primitive_desc pd(DnnlEngine(), source, AnyLayout(product->weights_type(), {k, n}), result,
                                        attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  const memory::desc weights = RowMajor(product->weights_type(), {k, n});
  arguments.push_back(
      {DNNL_ARG_SRC, product->Source(RowMajor(product->source_type(), DnnlDims(builder.shape(x)))), source});
  arguments.push_back({DNNL_ARG_WEIGHTS, product->Weights(weights, pd.weights_desc()), pd.weights_desc()});
  product->AddZeroPoints(result, arguments);
  arguments.push_back({DNNL_ARG_DST, builder.DefineDense(y), result});
  AddPrimitive(builder, dnnl::matmul(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("matmul", pd.impl_info_str(), node));
  return true;
}

bool EmitConv(PlanBuilder& builder, const Node& node, const Window& window, Operands operands) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  std::optional<IntegerProduct> product = IntegerProduct::Of(builder, node, operands, 0);
  // oneDNN's convolutions know no zero points of weights.
  if (!product.has_value() || product->has_weights_zero_points()) return false;
  const int64_t groups = node.attributes.Int("group", 1);
  const memory::desc weights = ConvWeights(builder.shape(w), product->weights_type(), groups, false);
  const memory::desc source = ChannelsLast(product->source_type(), DnnlDims(builder.shape(x)));
  const memory::desc result = ChannelsLast(product->result_type(), DnnlDims(builder.shape(y)));
  const ConvGeometry geometry = GeometryOf(window, false);
  dnnl::primitive_attr attributes = PlanAttributes();
  std::vector<DnnlArgument> arguments;
  if (!product->SetAttributes(result, attributes, arguments)) return false;
  dnnl::convolution_forward::primitive_desc pd(
      DnnlEngine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source,
      AnyLayout(product->weights_type(), weights.get_dims()), result, geometry.strides, geometry.dilations,
      geometry.pads_begin, geometry.pads_end, attributes);
  if (!SkipBrokenKernels(pd) || IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_SRC, product->Source(source), source});
  arguments.push_back({DNNL_ARG_WEIGHTS, product->Weights(weights, pd.weights_desc()), pd.weights_desc()});
  product->AddZeroPoints(result, arguments);
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, result), result});
  AddPrimitive(builder, dnnl::convolution_forward(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("convolution", pd.impl_info_str(), node));
  return true;
}

// Bytes where it can be, else real numbers.
template <typename Emit>
bool EmitEither(const Emit& emit) {
  for (Operands operands : {Operands::kBytes, Operands::kReal}) {
    try {
      if (emit(operands)) return true;
    } catch (const dnnl::error&) {  // no such kernel
    }
  }
  return false;
}

}  // namespace

bool LowerMatMulInteger(PlanBuilder& builder, const Node& node) {
  if (builder.shape(node.inputs[0]).size() < 2 || builder.shape(node.inputs[1]).size() != 2) return false;
  return EmitEither([&](Operands operands) { return EmitMatMul(builder, node, operands); });
}

bool LowerConvInteger(PlanBuilder& builder, const Node& node) {
  const absl::Span<const int64_t> x = builder.shape(node.inputs[0]), w = builder.shape(node.inputs[1]);
  if (x.size() < 3 || x.size() > 5) return false;
  const auto window = ConvWindow(node.attributes, x.subspan(2), w.subspan(2));
  if (!window.ok()) return false;
  return EmitEither([&](Operands operands) { return EmitConv(builder, node, *window, operands); });
}

bool LowerDynamicQuantizeLinear(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0];
  if (!IsDnnlFloat(builder, x) || node.outputs.size() != 3) return false;
  // Bytes follow the layout of what they are made from, unless that has elements for nothing.
  const memory::desc compact = Compact(builder.Current(x).desc);
  const bool padded = compact.get_padded_dims() != compact.get_dims();
  const memory::desc layout = padded ? builder.RowMajorOf(x) : compact;
  const size_t count = ElementsOf(layout);
  const kernels::Isa isa = KernelIsa();
  const auto run = [isa, count](void* const* at) {
    const kernels::Quantization found = kernels::QuantizeDynamically(isa, count, Floats(at[0]), Bytes(at[1]));
    *Floats(at[2]) = found.scale;
    *Bytes(at[3]) = static_cast<uint8_t>(found.zero_point);
  };
  const auto scalar = [&](ValueId id) {
    return id == kNoValue ? builder.NewBuffer(SizeOf(DataType::kFloat32)) : builder.DefineDense(id);
  };
  std::vector<BufferId> buffers = {builder.In(x, layout)};
  const memory::desc result = WithType(layout, memory::data_type::u8);
  buffers.push_back(node.outputs[0] == kNoValue ? builder.NewBuffer(count) : builder.DefineIn(node.outputs[0], result));
  buffers.push_back(scalar(node.outputs[1]));
  buffers.push_back(scalar(node.outputs[2]));
  AddKernel(builder, std::move(buffers), run, absl::StrCat("bytes ", Describe(node)));
  return true;
}

}  // namespace tandem::engine
