// Normalizations and softmax.
#include <optional>

#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/kernel_step.h"
#include "engine/compile/lowering.h"
#include "engine/compile/normalization.h"
#include "engine/kernels/channels.h"
#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;

bool AllFloat(const PlanBuilder& builder, const Node& node) {
  for (ValueId input : node.inputs) {
    if (input != kNoValue && !IsDnnlFloat(builder, input)) return false;
  }
  return true;
}

// On one thread, over channels that lie last: oneDNN's kernel takes several times as long as the memory does.
bool LowerToAffine(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  const auto activation = ActivationOf(node);
  if (!activation.has_value() || builder.threads() > 1 || builder.shape(x).size() < 2) return false;
  const memory::desc layout = ChannelsLast(kF32, DnnlDims(builder.shape(x)));
  if (builder.Current(x).desc != layout) return false;
  const std::optional<ChannelNumbers> numbers = NumbersOfNormalization(builder, node);
  if (!numbers.has_value()) return false;
  const auto channels = static_cast<size_t>(builder.shape(x)[1]);
  const size_t rows = ElementsOf(layout) / channels;
  const KernelCall run = [=, isa = KernelIsa()](void* const* at) {
    kernels::ChannelAffine(isa, *activation, rows, channels, Floats(at[0]), Floats(at[1]), Floats(at[2]),
                           Floats(at[3]));
  };
  AddKernel(builder,
            {builder.In(x, layout), builder.Constant(numbers->scale), builder.Constant(numbers->shift),
             builder.DefineIn(y, layout)},
            run, StepName("affine", "real numbers", node));
  return true;
}

}  // namespace

bool LowerBatchNormalization(PlanBuilder& builder, const Node& node) {
  if (node.outputs.size() != 1 || node.attributes.Int("training_mode", 0) != 0 || !AllFloat(builder, node)) {
    return false;
  }
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (LowerToAffine(builder, node)) return true;
  const size_t rank = builder.shape(x).size();
  if (rank < 2 || rank > 5) return false;
  auto flags = dnnl::normalization_flags::use_global_stats | dnnl::normalization_flags::use_scale |
               dnnl::normalization_flags::use_shift;
  dnnl::primitive_attr attributes = PlanAttributes();
  if (!node.post_ops.empty()) {
    if (node.post_ops.size() != 1 || node.post_ops[0].op != "Relu") return false;
    dnnl::post_ops post_ops;
    post_ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
    attributes.set_post_ops(post_ops);
  }
  const Placement source = builder.Current(x);
  const memory::desc result = Compact(source.desc);
  const dnnl::batch_normalization_forward::primitive_desc pd(
      DnnlEngine(), dnnl::prop_kind::forward_inference, source.desc, result, node.attributes.Float("epsilon", 1e-5f),
      flags, attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  const memory::desc channels = builder.RowMajorOf(node.inputs[1]);
  AddPrimitive(builder, dnnl::batch_normalization_forward(pd), pd.scratchpad_desc(),
               {{DNNL_ARG_SRC, source.buffer, source.desc},
                {DNNL_ARG_SCALE, builder.Dense(node.inputs[1]), channels},
                {DNNL_ARG_SHIFT, builder.Dense(node.inputs[2]), channels},
                {DNNL_ARG_MEAN, builder.Dense(node.inputs[3]), channels},
                {DNNL_ARG_VARIANCE, builder.Dense(node.inputs[4]), channels},
                {DNNL_ARG_DST, builder.DefineIn(y, result), result}},
               StepName("batch_normalization", pd.impl_info_str(), node));
  return true;
}

bool LowerLayerNormalization(PlanBuilder& builder, const Node& node) {
  if (!AllFloat(builder, node) || !node.post_ops.empty() || node.num_own_inputs() < 3 || node.inputs[2] == kNoValue) {
    return false;
  }
  const ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape& shape = builder.shape(x);
  const auto axis = NormalizeAxis(node.attributes.Int("axis", -1), static_cast<int64_t>(shape.size()));
  // Mean and deviation as further outputs are rare: the reference kernel gives them.
  if (node.outputs.size() != 1 || !axis.ok() || *axis != static_cast<int64_t>(shape.size()) - 1) return false;
  const int64_t channels = shape.back();
  for (int i = 1; i <= 2; ++i) {
    if (NumElements(builder.shape(node.inputs[i])) != channels) return false;
  }
  const memory::desc rows = RowMajor(kF32, {NumElements(shape) / channels, channels});
  const memory::desc parameters = RowMajor(kF32, {channels});
  const dnnl::layer_normalization_forward::primitive_desc pd(
      DnnlEngine(), dnnl::prop_kind::forward_inference, rows, rows, node.attributes.Float("epsilon", 1e-5f),
      dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift, PlanAttributes());
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  AddPrimitive(builder, dnnl::layer_normalization_forward(pd), pd.scratchpad_desc(),
               {{DNNL_ARG_SRC, builder.Dense(x), rows},
                {DNNL_ARG_SCALE, builder.Dense(node.inputs[1]), parameters},
                {DNNL_ARG_SHIFT, builder.Dense(node.inputs[2]), parameters},
                {DNNL_ARG_DST, builder.DefineDense(y), rows}},
               StepName("layer_normalization", pd.impl_info_str(), node));
  return true;
}

bool LowerLrn(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!IsDnnlFloat(builder, x) || builder.shape(x).size() != 4 || !node.post_ops.empty()) return false;
  const Placement source = builder.Current(x);
  const memory::desc result = Compact(source.desc);
  const dnnl::lrn_forward::primitive_desc pd(
      DnnlEngine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels, source.desc, result,
      node.attributes.Int("size", 1), node.attributes.Float("alpha", 1e-4f), node.attributes.Float("beta", 0.75f),
      node.attributes.Float("bias", 1), PlanAttributes());
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  AddPrimitive(builder, dnnl::lrn_forward(pd), pd.scratchpad_desc(),
               {{DNNL_ARG_SRC, source.buffer, source.desc}, {DNNL_ARG_DST, builder.DefineIn(y, result), result}},
               StepName("lrn", pd.impl_info_str(), node));
  return true;
}

bool LowerSoftmax(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!IsDnnlFloat(builder, x) || !node.post_ops.empty()) return false;
  const Shape& shape = builder.shape(x);
  const auto rank = static_cast<int64_t>(shape.size());
  const auto axis = NormalizeAxis(node.attributes.Int("axis", -1), rank);
  if (!axis.ok()) return false;
  const bool coerced = node.attributes.Int("coerce_2d", 0) != 0;
  memory::desc source_desc = builder.RowMajorOf(x);
  int dnnl_axis = static_cast<int>(*axis);
  if (coerced || *axis == rank - 1) {  // rows: everything before the axis, everything from it on
    const int64_t inner = NumElements(absl::MakeConstSpan(shape).subspan(*axis));
    source_desc = RowMajor(kF32, {NumElements(shape) / inner, inner});
    dnnl_axis = 1;
  }
  const auto algorithm = node.op == "Softmax" ? dnnl::algorithm::softmax_accurate : dnnl::algorithm::softmax_log;
  const dnnl::softmax_forward::primitive_desc pd(DnnlEngine(), dnnl::prop_kind::forward_inference, algorithm,
                                                 source_desc, source_desc, dnnl_axis, PlanAttributes());
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  AddPrimitive(builder, dnnl::softmax_forward(pd), pd.scratchpad_desc(),
               {{DNNL_ARG_SRC, builder.Dense(x), source_desc}, {DNNL_ARG_DST, builder.DefineDense(y), source_desc}},
               StepName("softmax", pd.impl_info_str(), node));
  return true;
}

}  // namespace tandem::engine
