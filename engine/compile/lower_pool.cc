// Pooling, reductions over spatial dimensions, and resizing.
#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/eltwise.h"
#include "engine/compile/lowering.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

bool EmitPool(PlanBuilder& builder, const Node& node, dnnl::algorithm algorithm, const Window& window) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  memory::dims strides, kernel, dilations, pads_begin, pads_end;
  for (const WindowAxis& axis : window) {
    strides.push_back(axis.stride);
    kernel.push_back(axis.kernel);
    dilations.push_back(axis.dilation - 1);
    pads_begin.push_back(axis.pad_begin);
    const int64_t reach = (axis.output - 1) * axis.stride + axis.Extent() - axis.input - axis.pad_begin;
    if (reach > axis.pad_end && algorithm == dnnl::algorithm::pooling_avg_include_padding) return false;
    pads_end.push_back(std::max(axis.pad_end, reach));
  }
  const bool stored = builder.StoredAlike(x, y) && node.post_ops.empty();
  const Placement source = stored ? builder.Stored(x) : builder.Current(x);
  const memory::desc any = AnyLayout(source.desc.get_data_type(), DnnlDims(builder.shape(y)));
  const auto describe = [&](const memory::desc& dst, const dnnl::primitive_attr& attributes) {
    return dnnl::pooling_forward::primitive_desc(DnnlEngine(), dnnl::prop_kind::forward_inference, algorithm,
                                                 source.desc, dst, strides, kernel, dilations, pads_begin, pads_end,
                                                 attributes);
  };
  std::vector<DnnlArgument> arguments;
  auto pd = describe(any, PlanAttributes());
  if (!node.post_ops.empty()) {
    dnnl::primitive_attr attributes = PlanAttributes();
    if (!SetPostOps(builder, node, pd.dst_desc(), attributes, arguments)) return false;
    pd = describe(pd.dst_desc(), attributes);
  }
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_SRC, source.buffer, source.desc});
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, pd.dst_desc()), pd.dst_desc()});
  AddPrimitive(builder, dnnl::pooling_forward(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("pooling", pd.impl_info_str(), node));
  return true;
}

// One window over all of each channel.
Window WholeImage(absl::Span<const int64_t> spatial) {
  Window window;
  for (int64_t size : spatial) {
    WindowAxis axis;
    axis.input = axis.kernel = size;
    window.push_back(axis);
  }
  return window;
}

bool IsImage(const PlanBuilder& builder, ValueId id) {
  const size_t rank = builder.shape(id).size();
  return IsDnnlFloat(builder, id) && rank >= 3 && rank <= 5;
}

// The axes that a Reduce* node runs over, ascending; empty when they are not known.
std::vector<int64_t> ReducedAxes(const PlanBuilder& builder, const Node& node) {
  const auto rank = static_cast<int64_t>(builder.shape(node.inputs[0]).size());
  std::vector<int64_t> axes;
  const bool given = node.num_own_inputs() > 1 && node.inputs[1] != kNoValue;
  const Tensor* constant = given ? builder.graph().ConstantOf(node.inputs[1]) : nullptr;
  if (given && constant == nullptr) return {};
  if (constant != nullptr) axes = *IntegersOf(*constant);
  if (axes.empty()) {
    if (node.attributes.Int("noop_with_empty_axes", 0) != 0) return {};
    for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
  }
  for (int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis;
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

// Whether Resize's scales, where it has some, are the quotients of its shapes: sizes are rounded down from 2.2 times,
// but elements are still looked up by 2.2.
bool EnlargesExactly(const PlanBuilder& builder, const Node& node) {
  if (node.num_own_inputs() < 3 || node.inputs[2] == kNoValue) return true;
  const Tensor* scales = builder.graph().ConstantOf(node.inputs[2]);
  if (scales == nullptr || scales->type() != DataType::kFloat32) return false;
  if (scales->num_elements() == 0) return true;  // sizes are given instead
  const Shape& from = builder.shape(node.inputs[0]);
  const Shape& to = builder.shape(node.outputs[0]);
  if (scales->num_elements() != static_cast<int64_t>(from.size())) return false;
  for (size_t i = 0; i < from.size(); ++i) {
    if (scales->values<float>()[i] * static_cast<float>(from[i]) != static_cast<float>(to[i])) return false;
  }
  return true;
}

}  // namespace

bool LowerPool(PlanBuilder& builder, const Node& node) {
  if (!IsImage(builder, node.inputs[0]) || node.outputs.size() != 1) return false;  // MaxPool's Indices
  const absl::Span<const int64_t> shape = builder.shape(node.inputs[0]);
  const auto window = ConvWindow(node.attributes, shape.subspan(2), node.attributes.Ints("kernel_shape"), true);
  if (!window.ok()) return false;
  const bool count_padding = node.attributes.Int("count_include_pad", 0) != 0;
  const dnnl::algorithm algorithm = node.op == "MaxPool" ? dnnl::algorithm::pooling_max
                                    : count_padding      ? dnnl::algorithm::pooling_avg_include_padding
                                                         : dnnl::algorithm::pooling_avg_exclude_padding;
  return EmitPool(builder, node, algorithm, *window);
}

bool LowerGlobalPool(PlanBuilder& builder, const Node& node) {
  if (!IsImage(builder, node.inputs[0])) return false;
  const absl::Span<const int64_t> shape = builder.shape(node.inputs[0]);
  return EmitPool(
      builder, node,
      node.op == "GlobalMaxPool" ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding,
      WholeImage(shape.subspan(2)));
}

bool LowerReduce(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!IsDnnlFloat(builder, x) || !IsDnnlFloat(builder, y)) return false;
  const std::vector<int64_t> axes = ReducedAxes(builder, node);
  if (axes.empty()) return false;
  const Shape& shape = builder.shape(x);
  // Rows that lie together are summed best by our own kernel.
  const Placement source = builder.Current(x);
  if (SameLayout(source.desc, builder.RowMajorOf(x)) && axes.size() == 1 &&
      axes[0] == static_cast<int64_t>(shape.size()) - 1) {
    return false;
  }
  memory::dims reduced(shape.begin(), shape.end());
  for (int64_t axis : axes) reduced[axis] = 1;
  const dnnl::algorithm algorithm = node.op == "ReduceMean"  ? dnnl::algorithm::reduction_mean
                                    : node.op == "ReduceMax" ? dnnl::algorithm::reduction_max
                                                             : dnnl::algorithm::reduction_sum;
  const memory::desc result = RowMajor(memory::data_type::f32, reduced);
  dnnl::primitive_attr attributes = PlanAttributes();
  std::vector<DnnlArgument> arguments;
  if (!node.post_ops.empty()) return false;
  const dnnl::reduction::primitive_desc pd(DnnlEngine(), algorithm, source.desc, result, 0, 0, attributes);
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_SRC, source.buffer, source.desc});
  arguments.push_back({DNNL_ARG_DST, builder.DefineDense(y), result});
  AddPrimitive(builder, dnnl::reduction(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("reduction", pd.impl_info_str(), node));
  return true;
}

bool LowerResize(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!IsImage(builder, x) || !node.post_ops.empty() || node.attributes.Has("axes")) return false;
  const Shape& from = builder.shape(x);
  const Shape& to = builder.shape(y);
  if (node.attributes.String("mode", "nearest") != "nearest" || from[0] != to[0] || from[1] != to[1]) return false;
  const std::string transform = node.attributes.String("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = node.attributes.String("nearest_mode", "round_prefer_floor");
  // Enlarging by a whole number repeats each element in both of these conventions, and in oneDNN's.
  const bool repeats = (transform == "asymmetric" && rounding == "floor") ||
                       (transform == "half_pixel" && absl::StartsWith(rounding, "round"));
  if (!repeats) return false;
  for (size_t i = 2; i < from.size(); ++i) {
    if (to[i] % from[i] != 0) return false;
  }
  if (!EnlargesExactly(builder, node)) return false;
  const Placement source = builder.StoredAlike(x, y) ? builder.Stored(x) : builder.Current(x);
  const memory::desc any = AnyLayout(source.desc.get_data_type(), DnnlDims(to));
  const dnnl::resampling_forward::primitive_desc pd(DnnlEngine(), dnnl::prop_kind::forward_inference,
                                                    dnnl::algorithm::resampling_nearest, source.desc, any,
                                                    PlanAttributes());
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  AddPrimitive(
      builder, dnnl::resampling_forward(pd), pd.scratchpad_desc(),
      {{DNNL_ARG_SRC, source.buffer, source.desc}, {DNNL_ARG_DST, builder.DefineIn(y, pd.dst_desc()), pd.dst_desc()}},
      StepName("resampling", pd.impl_info_str(), node));
  return true;
}

}  // namespace tandem::engine
