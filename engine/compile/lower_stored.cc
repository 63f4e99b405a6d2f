// Operators on stored integers that oneDNN has no kernels for, or none that know zero points.
#include "engine/compile/lower_stored.h"

#include "engine/compile/dnnl_types.h"
#include "engine/compile/kernel_step.h"
#include "engine/compile/lowering.h"
#include "engine/compile/normalization.h"
#include "engine/compile/stored_table.h"
#include "engine/kernels/binary.h"
#include "engine/kernels/channels.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

bool LowerTable(PlanBuilder& builder, const Node& node) {
  ValueId x = kNoValue;
  const std::optional<kernels::Table> table = TableOf(builder, node, x);
  if (!table.has_value()) return false;
  const ValueId y = node.outputs[0];
  const memory::desc layout = Compact(builder.Stored(x).desc);
  const memory::desc result = WithType(layout, *DnnlType(builder.value(y).quantization->type));
  const size_t count = ElementsOf(result);
  const kernels::Isa isa = KernelIsa();
  const auto run = [isa, count, table = *table](void* const* at) {
    kernels::Lookup(isa, table, count, Bytes(at[0]), Bytes(at[1]));
  };
  AddKernel(builder, {builder.In(x, layout), builder.DefineIn(y, result)}, run, StepName("table", "bytes", node));
  return true;
}

// Sums and products of two stored values of one shape.
bool LowerPair(PlanBuilder& builder, const Node& node) {
  if ((node.op != "Add" && node.op != "Mul") || node.num_own_inputs() != 2) return false;
  const ValueId a = node.inputs[0], b = node.inputs[1], y = node.outputs[0];
  const auto activation = ActivationOf(node);
  if (!activation.has_value() || !IsStoredValue(builder, a) || !IsStoredValue(builder, b)) return false;
  if (builder.shape(a) != builder.shape(y) || builder.shape(b) != builder.shape(y)) return false;
  const memory::desc layout = Compact(builder.Stored(a).desc);
  const memory::desc other = WithType(layout, *DnnlType(builder.value(b).quantization->type));
  const memory::desc result = WithType(layout, *DnnlType(builder.value(y).quantization->type));
  const kernels::BinaryParameters parameters{ForKernels(*builder.value(a).quantization),
                                             ForKernels(*builder.value(b).quantization),
                                             ForKernels(*builder.value(y).quantization), *activation};
  const size_t count = ElementsOf(result);
  const kernels::Isa isa = KernelIsa();
  const auto kernel = node.op == "Add" ? kernels::Add : kernels::Multiply;
  const auto run = [=](void* const* at) { kernel(isa, parameters, count, Bytes(at[0]), Bytes(at[1]), Bytes(at[2])); };
  AddKernel(builder, {builder.In(a, layout), builder.In(b, other), builder.DefineIn(y, result)}, run,
            StepName("binary", "bytes", node));
  return true;
}

// y = activation(x * scale[channel] + shift[channel]).
bool EmitAffine(PlanBuilder& builder, const Node& node, ValueId x, const Tensor& scale, const Tensor& shift) {
  const ValueId y = node.outputs[0];
  const auto activation = ActivationOf(node);
  if (!activation.has_value() || builder.shape(x).size() < 2) return false;
  const memory::dims dims = DnnlDims(builder.shape(y));
  const bool stored = IsStoredValue(builder, x);
  const memory::desc source =
      ChannelsLast(stored ? *DnnlType(builder.value(x).quantization->type) : memory::data_type::f32, dims);
  // Real numbers are not worth a pass that brings channels last.
  if (!stored && builder.Current(x).desc != source) return false;
  const memory::desc result = ChannelsLast(*DnnlType(builder.value(y).quantization->type), dims);
  const kernels::Quantization to = ForKernels(*builder.value(y).quantization);
  const size_t channels = dims[1], rows = ElementsOf(result) / channels;
  const kernels::Isa isa = KernelIsa();
  KernelCall run = [=](void* const* at) {
    kernels::ChannelAffine(isa, to, *activation, rows, channels, Floats(at[0]), Floats(at[1]), Floats(at[2]),
                           Bytes(at[3]));
  };
  if (stored) {
    const kernels::ChannelParameters parameters{ForKernels(*builder.value(x).quantization), to, *activation};
    run = [=](void* const* at) {
      kernels::ChannelAffine(isa, parameters, rows, channels, Bytes(at[0]), Floats(at[1]), Floats(at[2]), Bytes(at[3]));
    };
  }
  AddKernel(builder,
            {builder.In(x, source), builder.Constant(scale), builder.Constant(shift), builder.DefineIn(y, result)}, run,
            StepName("affine", stored ? "bytes" : "to bytes", node));
  return true;
}

bool LowerNormalization(PlanBuilder& builder, const Node& node) {
  const std::optional<ChannelNumbers> numbers = NumbersOfNormalization(builder, node);
  return numbers.has_value() && EmitAffine(builder, node, node.inputs[0], numbers->scale, numbers->shift);
}

// Add, Sub or Mul of a stored value and a constant of one number a channel.
bool LowerChannelArithmetic(PlanBuilder& builder, const Node& node) {
  if ((node.op != "Add" && node.op != "Mul") || node.num_own_inputs() != 2) return false;
  for (int side = 0; side < 2; ++side) {
    const ValueId x = node.inputs[side], other = node.inputs[1 - side];
    const Tensor* const constant = RealConstant(builder, other);
    if (!IsStoredValue(builder, x) || constant == nullptr || builder.shape(x) != builder.shape(node.outputs[0]))
      continue;
    const Shape& shape = builder.shape(x);
    if (shape.size() < 2 || constant->num_elements() != shape[1] ||
        constant->rank() > static_cast<int64_t>(shape.size()))
      continue;
    const int64_t axis = constant->rank() - static_cast<int64_t>(shape.size()) + 1;  // of the channels in the constant
    if (axis < 0 || constant->dim(axis) != shape[1]) continue;
    Tensor neutral(DataType::kFloat32, {shape[1]});
    for (float& value : neutral.mutable_values<float>()) value = node.op == "Add" ? 1.0f : 0.0f;
    return node.op == "Add" ? EmitAffine(builder, node, x, neutral, *constant)
                            : EmitAffine(builder, node, x, *constant, neutral);
  }
  return false;
}

// Mul of a stored image by one stored number a channel (squeeze-and-excitation, Hu et al. 2018).
bool LowerChannelScale(PlanBuilder& builder, const Node& node) {
  if (node.op != "Mul" || node.num_own_inputs() != 2) return false;
  const auto activation = ActivationOf(node);
  const ValueId y = node.outputs[0];
  const Shape& shape = builder.shape(y);
  for (int side = 0; side < 2; ++side) {
    const ValueId x = node.inputs[side], factor = node.inputs[1 - side];
    if (!activation.has_value() || !IsStoredValue(builder, x) || !IsStoredValue(builder, factor)) return false;
    if (builder.shape(x) != shape || shape.size() < 3 || builder.shape(factor).size() != shape.size()) continue;
    if (NumElements(builder.shape(factor)) != shape[0] * shape[1] || builder.shape(factor)[1] != shape[1]) continue;
    const auto type_of = [&](ValueId id) { return *DnnlType(builder.value(id).quantization->type); };
    const memory::desc source = ChannelsLast(type_of(x), DnnlDims(shape));
    const memory::desc result = ChannelsLast(type_of(y), DnnlDims(shape));
    const memory::desc factors = ChannelsLast(type_of(factor), DnnlDims(builder.shape(factor)));
    const kernels::ChannelParameters parameters{ForKernels(*builder.value(x).quantization),
                                                ForKernels(*builder.value(y).quantization), *activation};
    const kernels::Quantization scheme = ForKernels(*builder.value(factor).quantization);
    const size_t images = shape[0], channels = shape[1], rows = ElementsOf(result) / (images * channels);
    const kernels::Isa isa = KernelIsa();
    const auto run = [=](void* const* at) {
      for (size_t n = 0; n < images; ++n) {
        const size_t image = n * rows * channels;
        kernels::ChannelMultiply(isa, parameters, scheme, rows, channels, Bytes(at[0]) + image,
                                 Bytes(at[1]) + n * channels, Bytes(at[2]) + image);
      }
    };
    AddKernel(builder, {builder.In(x, source), builder.In(factor, factors), builder.DefineIn(y, result)}, run,
              StepName("scale", "bytes", node));
    return true;
  }
  return false;
}

}  // namespace

bool IsStoredValue(const PlanBuilder& builder, ValueId id) {
  return id != kNoValue && builder.value(id).quantization.has_value() && builder.graph().ConstantOf(id) == nullptr;
}

bool LowerStored(PlanBuilder& builder, const Node& node) {
  if (node.inputs.empty() || node.outputs.size() != 1) return false;
  if (LowerStoredAverage(builder, node)) return true;
  if (!IsStoredValue(builder, node.outputs[0])) return false;
  return LowerTable(builder, node) || LowerPair(builder, node) || LowerNormalization(builder, node) ||
         LowerChannelArithmetic(builder, node) || LowerChannelScale(builder, node) || LowerStoredResize(builder, node);
}

}  // namespace tandem::engine
