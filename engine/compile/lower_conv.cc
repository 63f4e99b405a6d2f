// Conv and ConvTranspose.
#include "engine/compile/conv_primitive.h"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/eltwise.h"
#include "engine/compile/lowering.h"
#include "engine/compile/stored_product.h"

namespace tandem::engine {

namespace {

using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;

bool CanLower(const PlanBuilder& builder, const Node& node) {
  for (ValueId input : node.inputs) {
    if (input != kNoValue && !IsDnnlFloat(builder, input)) return false;
  }
  const size_t rank = builder.shape(node.inputs[0]).size();
  return rank >= 3 && rank <= 5 && IsDnnlFloat(builder, node.outputs[0]);
}

// The same over integers, where source and weights are stored as such.
template <typename Primitive>
bool EmitStored(PlanBuilder& builder, const Node& node, const Window& window, dnnl::algorithm algorithm,
                const char* kind) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  const int64_t groups = node.attributes.Int("group", 1);
  const bool transposed = std::is_same_v<Primitive, dnnl::deconvolution_forward>;
  const int64_t channels = builder.shape(y)[1];
  std::optional<StoredProduct> product =
      StoredProduct::Of(builder, node, channels, transposed ? 1 : 0, transposed ? 0 : 1);
  if (!product.has_value()) return false;
  const memory::desc weights = ConvWeights(builder.shape(w), memory::data_type::s8, groups, transposed);
  const memory::desc bias = product->has_bias() ? RowMajor(kF32, {channels}) : memory::desc();
  const ConvGeometry geometry = GeometryOf(window, transposed);
  const auto describe = [&](const memory::desc& dst, const dnnl::primitive_attr& attributes) {
    return typename Primitive::primitive_desc(DnnlEngine(), dnnl::prop_kind::forward_inference, algorithm,
                                              AnyLayout(product->source_type(), DnnlDims(builder.shape(x))),
                                              AnyLayout(memory::data_type::s8, weights.get_dims()), bias, dst,
                                              geometry.strides, geometry.dilations, geometry.pads_begin,
                                              geometry.pads_end, attributes);
  };
  dnnl::primitive_attr attributes = product->Attributes(groups > 1 ? 3 : 1);
  const memory::desc result =
      describe(AnyLayout(product->result_type(), DnnlDims(builder.shape(y))), attributes).dst_desc();
  std::vector<DnnlArgument> arguments;
  if (!product->Finish(result, bias, attributes, arguments)) return false;
  auto pd = describe(result, attributes);
  if (!SkipBrokenKernels(pd) || IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_SRC, builder.In(x, pd.src_desc()), pd.src_desc()});
  arguments.push_back({DNNL_ARG_WEIGHTS, builder.InAs(w, weights, pd.weights_desc()), pd.weights_desc()});
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, result), result});
  AddPrimitive(builder, Primitive(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName(kind, pd.impl_info_str(), node));
  return true;
}

template <typename Primitive>
bool EmitReal(PlanBuilder& builder, const Node& node, const Window& window, dnnl::algorithm algorithm,
              const char* kind) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  const int64_t groups = node.attributes.Int("group", 1);
  const bool transposed = std::is_same_v<Primitive, dnnl::deconvolution_forward>;
  const bool has_bias = node.num_own_inputs() > 2 && node.inputs[2] != kNoValue;
  const memory::desc weights = ConvWeights(builder.shape(w), kF32, groups, transposed);
  const memory::desc bias = has_bias ? builder.RowMajorOf(node.inputs[2]) : memory::desc();
  const ConvGeometry geometry = GeometryOf(window, transposed);

  const auto describe = [&](const memory::desc& dst, const dnnl::primitive_attr& attributes) {
    return typename Primitive::primitive_desc(DnnlEngine(), dnnl::prop_kind::forward_inference, algorithm,
                                              builder.AnyOf(x), AnyLayout(kF32, weights.get_dims()), bias, dst,
                                              geometry.strides, geometry.dilations, geometry.pads_begin,
                                              geometry.pads_end, attributes);
  };
  std::vector<DnnlArgument> arguments;
  auto pd = describe(builder.AnyOf(y), PlanAttributes());
  if (!node.post_ops.empty()) {  // their operands must lie as the result does, so that comes first
    dnnl::primitive_attr attributes = PlanAttributes();
    if (!SetPostOps(builder, node, pd.dst_desc(), attributes, arguments)) return false;
    pd = describe(pd.dst_desc(), attributes);
  }
  if (IsReferenceKernel(pd.impl_info_str())) return false;

  arguments.push_back({DNNL_ARG_SRC, builder.In(x, pd.src_desc()), pd.src_desc()});
  arguments.push_back({DNNL_ARG_WEIGHTS, builder.InAs(w, weights, pd.weights_desc()), pd.weights_desc()});
  if (has_bias) arguments.push_back({DNNL_ARG_BIAS, builder.Dense(node.inputs[2]), bias});
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, pd.dst_desc()), pd.dst_desc()});
  AddPrimitive(builder, Primitive(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName(kind, pd.impl_info_str(), node));
  return true;
}

// Over integers where it can be, else over real numbers.
template <typename Primitive>
bool Emit(PlanBuilder& builder, const Node& node, const Window& window, dnnl::algorithm algorithm, const char* kind) {
  try {
    if (EmitStored<Primitive>(builder, node, window, algorithm, kind)) return true;
  } catch (const dnnl::error&) {  // no such kernel
  }
  return EmitReal<Primitive>(builder, node, window, algorithm, kind);
}

}  // namespace

bool LowerConv(PlanBuilder& builder, const Node& node) {
  if (!CanLower(builder, node)) return false;
  const absl::Span<const int64_t> x = builder.shape(node.inputs[0]), w = builder.shape(node.inputs[1]);
  const auto window = ConvWindow(node.attributes, x.subspan(2), w.subspan(2));
  if (!window.ok()) return false;
  return Emit<dnnl::convolution_forward>(builder, node, *window, dnnl::algorithm::convolution_direct, "convolution");
}

bool LowerConvTranspose(PlanBuilder& builder, const Node& node) {
  if (!CanLower(builder, node)) return false;
  const absl::Span<const int64_t> x = builder.shape(node.inputs[0]), w = builder.shape(node.inputs[1]);
  const auto window = ConvTransposeWindow(node.attributes, x.subspan(2), w.subspan(2));
  if (!window.ok()) return false;
  return Emit<dnnl::deconvolution_forward>(builder, node, *window, dnnl::algorithm::deconvolution_direct,
                                           "deconvolution");
}

}  // namespace tandem::engine
