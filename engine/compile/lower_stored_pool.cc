// Averages of stored integers.
#include "engine/compile/dnnl_types.h"
#include "engine/compile/kernel_step.h"
#include "engine/compile/lower_stored.h"
#include "engine/compile/lowering.h"
#include "engine/kernels/average_pool.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

constexpr size_t kMostPixels = size_t{1} << 23;

// Whether `node` averages all spatial positions of input 0.
bool AveragesImages(const PlanBuilder& builder, const Node& node) {
  const auto rank = static_cast<int64_t>(builder.shape(node.inputs[0]).size());
  if (rank < 3 || rank > 5 || !node.post_ops.empty()) return false;
  if (node.op == "GlobalAveragePool") return true;
  if (node.op != "ReduceMean" || node.num_own_inputs() < 2) return false;
  const Tensor* const axes = builder.graph().ConstantOf(node.inputs[1]);
  if (axes == nullptr || axes->num_elements() != rank - 2) return false;
  const auto values = IntegersOf(*axes);
  if (!values.ok()) return false;
  for (int64_t axis : *values) {
    if ((axis < 0 ? axis + rank : axis) < 2) return false;
  }
  return true;
}

bool LowerGlobal(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape& shape = builder.shape(x);
  const Quantization& quantization = *builder.value(x).quantization;
  const memory::desc source = ChannelsLast(*DnnlType(quantization.type), DnnlDims(shape));
  const size_t images = shape[0], channels = shape[1], pixels = ElementsOf(source) / (images * channels);
  if (pixels > kMostPixels) return false;
  const kernels::Quantization from = ForKernels(quantization);
  const kernels::Isa isa = KernelIsa();
  const std::string name = StepName("average", "bytes", node);
  const BufferId input = builder.In(x, source);
  if (!IsStoredValue(builder, y)) {
    const auto run = [=](void* const* at) {
      kernels::GlobalAveragePool(isa, from, images, pixels, channels, Bytes(at[0]), Floats(at[1]));
    };
    AddKernel(builder, {input, builder.DefineDense(y)}, run, name);
    return true;
  }
  const kernels::Quantization to = ForKernels(*builder.value(y).quantization);
  const memory::desc result = RowMajor(*DnnlType(builder.value(y).quantization->type), DnnlDims(builder.shape(y)));
  const auto run = [=](void* const* at) {
    kernels::GlobalAveragePool(isa, from, to, images, pixels, channels, Bytes(at[0]), Bytes(at[1]));
  };
  AddKernel(builder, {input, builder.DefineIn(y, result)}, run, name);
  return true;
}

// Our windows do not reach past the declared padding.
std::optional<kernels::PoolAxis> AxisOf(const WindowAxis& axis) {
  const int64_t reach = (axis.output - 1) * axis.stride + axis.Extent() - axis.input - axis.pad_begin;
  if (axis.dilation != 1 || reach > axis.pad_end || axis.pad_begin >= axis.kernel || axis.pad_end >= axis.kernel) {
    return std::nullopt;
  }
  const auto size = [](int64_t value) { return static_cast<size_t>(value); };
  return kernels::PoolAxis{size(axis.input),  size(axis.output),    size(axis.kernel),
                           size(axis.stride), size(axis.pad_begin), size(axis.pad_end)};
}

bool LowerWindows(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  const absl::Span<const int64_t> shape = builder.shape(x);
  if (node.op != "AveragePool" || shape.size() != 4 || !node.post_ops.empty() || !IsStoredValue(builder, y))
    return false;
  const auto window = ConvWindow(node.attributes, shape.subspan(2), node.attributes.Ints("kernel_shape"), true);
  if (!window.ok()) return false;
  const auto height = AxisOf((*window)[0]), width = AxisOf((*window)[1]);
  if (!height.has_value() || !width.has_value() || height->kernel * width->kernel > kMostPixels) return false;
  const kernels::PoolParameters parameters{*height, *width, node.attributes.Int("count_include_pad", 0) != 0};
  const Quantization& before = *builder.value(x).quantization;
  const Quantization& after = *builder.value(y).quantization;
  const memory::desc source = ChannelsLast(*DnnlType(before.type), DnnlDims(shape));
  const memory::desc result = ChannelsLast(*DnnlType(after.type), DnnlDims(builder.shape(y)));
  const kernels::Quantization from = ForKernels(before), to = ForKernels(after);
  const size_t images = shape[0], channels = shape[1];
  const kernels::Isa isa = KernelIsa();
  const auto run = [=](void* const* at) {
    kernels::AveragePool(isa, from, to, parameters, images, channels, Bytes(at[0]), Bytes(at[1]));
  };
  AddKernel(builder, {builder.In(x, source), builder.DefineIn(y, result)}, run, StepName("average", "bytes", node));
  return true;
}

}  // namespace

bool LowerStoredAverage(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0];
  if (!IsStoredValue(builder, x)) return false;
  if (AveragesImages(builder, node)) return LowerGlobal(builder, node);
  return LowerWindows(builder, node);
}

}  // namespace tandem::engine
