#include "engine/compile/integer_product.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/compile/dequantized.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/eltwise.h"
#include "engine/compile/kernel_step.h"
#include "engine/compile/saturation.h"
#include "engine/kernels/convert.h"
#include "engine/kernels/dynamic.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

bool IsByte(DataType type) { return type == DataType::kUInt8 || type == DataType::kInt8; }

kernels::ByteType KernelType(DataType type) {
  return type == DataType::kInt8 ? kernels::ByteType::kInt8 : kernels::ByteType::kUInt8;
}

int32_t ByteAt(const void* address, DataType type) {
  return type == DataType::kInt8 ? static_cast<int8_t>(*Bytes(address)) : *Bytes(address);
}

// Whether the sums are right to the bit on this CPU.
bool MultipliesExactly(DataType source, const Tensor& weights, int64_t summed_axis) {
  if (!PairsSaturate()) return true;
  // oneDNN halves the weights of signed sources for such CPUs.
  return source == DataType::kUInt8 && !MaySaturate(weights, summed_axis);
}

// The constant zero point of input `i` of `node`, or of the weights' `channels`; nothing when it is none or of another
// size.
std::optional<std::vector<int32_t>> ZeroPoints(const PlanBuilder& builder, const Node& node, size_t i,
                                               int64_t channels) {
  if (node.num_own_inputs() <= static_cast<int>(i) || node.inputs[i] == kNoValue) return std::vector<int32_t>{0};
  const Tensor* const tensor = builder.graph().ConstantOf(node.inputs[i]);
  if (tensor == nullptr || (tensor->num_elements() != 1 && tensor->num_elements() != channels)) return std::nullopt;
  std::vector<int32_t> zero_points;
  for (int8_t zero_point : tensor->values<int8_t>()) zero_points.push_back(zero_point);
  const bool same = std::all_of(zero_points.begin(), zero_points.end(), [&](int32_t z) { return z == zero_points[0]; });
  if (same) zero_points.resize(1);
  return zero_points;
}

}  // namespace

std::optional<IntegerProduct> IntegerProduct::Of(PlanBuilder& builder, const Node& node, Operands operands,
                                                 int64_t channel_axis) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  const Tensor* const weights = builder.graph().ConstantOf(w);
  const bool fits = builder.FitsDnnl(x) && builder.FitsDnnl(w) && builder.FitsDnnl(y);
  if (!fits || weights == nullptr || weights->type() != DataType::kInt8 || builder.graph().ConstantOf(x) != nullptr) {
    return std::nullopt;
  }
  if (!IsByte(builder.value(x).type)) return std::nullopt;
  const bool has_zero_point = node.num_own_inputs() > 2 && node.inputs[2] != kNoValue;
  if (has_zero_point && NumElements(builder.shape(node.inputs[2])) != 1) return std::nullopt;
  const auto zero_points = ZeroPoints(builder, node, 3, weights->dim(channel_axis));
  if (!zero_points.has_value()) return std::nullopt;
  const bool one_for_all = zero_points->size() == 1;
  const int64_t summed_axis = 1 - channel_axis;
  if (operands == Operands::kBytes && !MultipliesExactly(builder.value(x).type, *weights, summed_axis)) {
    return std::nullopt;
  }
  // Sums of real numbers are rounded.
  const bool sums_real_numbers = operands == Operands::kReal || !one_for_all;
  if (sums_real_numbers && builder.value(y).type != DataType::kFloat32) return std::nullopt;
  IntegerProduct product(builder, node, operands);
  product.weights_ = {DataType::kInt8, std::vector<float>(zero_points->size(), 1.0f), *zero_points,
                      one_for_all ? -1 : channel_axis};
  return product;
}

memory::data_type IntegerProduct::source_type() const {
  return operands_ == Operands::kReal ? memory::data_type::f32 : *DnnlType(builder_.value(node_.inputs[0]).type);
}

memory::data_type IntegerProduct::weights_type() const {
  return operands_ == Operands::kReal ? memory::data_type::f32 : memory::data_type::s8;
}

memory::data_type IntegerProduct::result_type() const { return *DnnlType(builder_.value(node_.outputs[0]).type); }

bool IntegerProduct::SetAttributes(const memory::desc& result, dnnl::primitive_attr& attributes,
                                   std::vector<DnnlArgument>& arguments) {
  if (operands_ == Operands::kBytes && has_source_zero_point()) attributes.set_zero_points_mask(DNNL_ARG_SRC, 0);
  dnnl::post_ops post_ops;
  if (has_weights_zero_points() && weights_.per_tensor()) {
    attributes.set_zero_points_mask(DNNL_ARG_WEIGHTS, 0);
  } else if (has_weights_zero_points()) {
    post_ops.append_binary(dnnl::algorithm::binary_add, result);
  }
  for (const PostOp& post_op : node_.post_ops) {
    if (!AppendPostOp(builder_, node_, post_op, result, post_ops, arguments)) return false;
  }
  attributes.set_post_ops(post_ops);
  return true;
}

void IntegerProduct::AddZeroPoints(const memory::desc& result, std::vector<DnnlArgument>& arguments) {
  const memory::desc one = RowMajor(memory::data_type::s32, {1});
  if (operands_ == Operands::kBytes && has_source_zero_point()) {
    const ValueId id = node_.inputs[2];
    const BufferId zero_point = builder_.NewBuffer(sizeof(int32_t));
    const auto run = [type = builder_.value(id).type](void* const* at) {
      *static_cast<int32_t*>(at[1]) = ByteAt(at[0], type);
    };
    AddKernel(builder_, {builder_.Dense(id), zero_point}, run, absl::StrCat("zero point of ", Describe(node_)));
    arguments.push_back({DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, zero_point, one});
  }
  if (has_weights_zero_points() && weights_.per_tensor()) {
    const BufferId zero_point = builder_.Constant(Tensor::Of<int32_t>({1}, weights_.zero_points));
    arguments.push_back({DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_WEIGHTS, zero_point, one});
  } else if (has_weights_zero_points()) {
    arguments.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, OwedToColumns(), result});
  }
}

BufferId IntegerProduct::OwedToColumns() {
  const ValueId x = node_.inputs[0];
  const size_t depth = builder_.shape(x).back(), rows = NumElements(builder_.shape(x)) / depth;
  const size_t columns = weights_.zero_points.size();
  const std::vector<float> zero_points(weights_.zero_points.begin(), weights_.zero_points.end());
  const BufferId owed = builder_.NewBuffer(rows * columns * sizeof(float));
  std::vector<BufferId> buffers = {
      builder_.Dense(x), builder_.Constant(Tensor::Of<float>({static_cast<int64_t>(columns)}, zero_points)), owed};
  if (has_source_zero_point()) buffers.push_back(builder_.Dense(node_.inputs[2]));
  const auto run = [=, isa = KernelIsa(), type = builder_.value(x).type,
                    given = has_source_zero_point()](void* const* at) {
    kernels::OweZeroPoints(isa, KernelType(type), given ? ByteAt(at[3], type) : 0, rows, depth, columns, Bytes(at[0]),
                           Floats(at[1]), Floats(at[2]));
  };
  AddKernel(builder_, std::move(buffers), run, absl::StrCat("zero points by column of ", Describe(node_)));
  return owed;
}

BufferId IntegerProduct::Source(const memory::desc& desc) {
  const ValueId x = node_.inputs[0];
  if (operands_ == Operands::kBytes) return builder_.In(x, desc);
  const DataType type = builder_.value(x).type;
  const BufferId real = builder_.NewBuffer(desc.get_size());
  std::vector<BufferId> buffers = {builder_.In(x, WithType(desc, *DnnlType(type))), real};
  if (has_source_zero_point()) buffers.push_back(builder_.Dense(node_.inputs[2]));
  const size_t count = ElementsOf(desc);
  const kernels::Isa isa = KernelIsa();
  const auto run = [=, given = has_source_zero_point()](void* const* at) {
    const kernels::Quantization found{KernelType(type), 1, given ? ByteAt(at[2], type) : 0};
    kernels::Dequantize(isa, found, count, Bytes(at[0]), Floats(at[1]));
  };
  AddKernel(builder_, std::move(buffers), run,
            absl::StrCat("conversion to real numbers '", builder_.value(x).name, "'"));
  return real;
}

BufferId IntegerProduct::Weights(const memory::desc& from, const memory::desc& to) {
  const Tensor& weights = *builder_.graph().ConstantOf(node_.inputs[1]);
  if (operands_ == Operands::kBytes) return builder_.PackedConstant(weights, from, to);
  return builder_.PackedConstant(Dequantized(weights, weights_), from, to);
}

}  // namespace tandem::engine
