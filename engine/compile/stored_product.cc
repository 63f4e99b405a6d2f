#include "engine/compile/stored_product.h"

#include <algorithm>

#include "engine/compile/dnnl_types.h"
#include "engine/compile/eltwise.h"
#include "engine/compile/saturation.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

// Weights that oneDNN's int8 kernels take: signed, around zero.
bool AreSymmetric(const PlanBuilder& builder, ValueId weights) {
  const std::optional<Quantization>& quantization = builder.value(weights).quantization;
  if (!quantization.has_value() || builder.graph().ConstantOf(weights) == nullptr) return false;
  return quantization->type == DataType::kInt8 &&
         std::all_of(quantization->zero_points.begin(), quantization->zero_points.end(),
                     [](int32_t zero_point) { return zero_point == 0; });
}

constexpr absl::string_view kRoundTo = "tandem.RoundTo";

// Operations f with f(a * x) = a * f(x) for positive a, once their bounds are in the same unit.
bool KeepsUnits(const PostOp& post_op) {
  return post_op.op == "Relu" || post_op.op == "LeakyRelu" || post_op.op == "Clip";
}

}  // namespace

std::optional<StoredProduct> StoredProduct::Of(PlanBuilder& builder, const Node& node, int64_t channels,
                                               int64_t channel_axis, int64_t summed_axis) {
  const ValueId x = node.inputs[0], w = node.inputs[1], y = node.outputs[0];
  const std::optional<Quantization>& source = builder.value(x).quantization;
  if (!source.has_value() || builder.graph().ConstantOf(x) != nullptr || !AreSymmetric(builder, w)) return std::nullopt;
  if (!builder.FitsDnnl(x) || !builder.FitsDnnl(w) || !builder.FitsDnnl(y)) return std::nullopt;
  const Quantization& weights = *builder.value(w).quantization;
  if (!weights.per_tensor() && (weights.axis != channel_axis || builder.shape(w)[channel_axis] != channels)) {
    return std::nullopt;
  }
  if (PairsSaturate()) {
    // oneDNN shifts signed sources for such CPUs, and halves the weights of convolutions to make room.
    const bool is_halved = source->type == DataType::kInt8;
    if (is_halved || MaySaturate(*builder.graph().ConstantOf(w), summed_axis)) return std::nullopt;
  }
  const bool has_bias = node.num_own_inputs() > 2 && node.inputs[2] != kNoValue;
  const Tensor* const bias = has_bias ? builder.graph().ConstantOf(node.inputs[2]) : nullptr;
  if (has_bias && (bias == nullptr || bias->type() != DataType::kFloat32 || bias->num_elements() != channels)) {
    return std::nullopt;
  }
  StoredProduct product(builder, node);
  product.unit_ = product.FirstUnit();
  for (float scale : weights.scales) product.scales_.push_back(source->scale() * scale / product.unit_);
  // A stored addend's zero point is taken off with the bias when nothing comes between.
  const Quantization* const addend = node.post_ops.empty() ? nullptr : product.StoredAddend(node.post_ops[0]);
  const float shift = addend != nullptr ? -static_cast<float>(addend->zero_point()) : 0;
  if (has_bias || shift != 0) {
    product.bias_ = Tensor(DataType::kFloat32, {channels});
    for (int64_t c = 0; c < channels; ++c) {
      const float real = has_bias ? bias->values<float>()[c] : 0;
      product.bias_.mutable_values<float>()[c] = real / product.unit_ + shift;
    }
  }
  return product;
}

memory::data_type StoredProduct::source_type() const {
  return *DnnlType(builder_.value(node_.inputs[0]).quantization->type);
}

memory::data_type StoredProduct::result_type() const {
  const std::optional<Quantization>& result = builder_.value(node_.outputs[0]).quantization;
  return result.has_value() ? *DnnlType(result->type) : memory::data_type::f32;
}

const Quantization* StoredProduct::StoredAddend(const PostOp& post_op) const {
  if (post_op.op != "Add" || post_op.operand < 0) return nullptr;
  const ValueId operand = node_.inputs[post_op.operand];
  const Value& value = builder_.value(operand);
  const bool fits = value.quantization.has_value() && !value.is_constant() && builder_.FitsDnnl(operand) &&
                    builder_.shape(operand) == builder_.shape(node_.outputs[0]);
  return fits ? &*value.quantization : nullptr;
}

float StoredProduct::FirstUnit() const {
  for (const PostOp& post_op : node_.post_ops) {
    if (const Quantization* const addend = StoredAddend(post_op)) return addend->scale();
    if (post_op.op == kRoundTo) return post_op.alpha;
    if (!KeepsUnits(post_op)) return 1;
  }
  const std::optional<Quantization>& result = builder_.value(node_.outputs[0]).quantization;
  return result.has_value() ? result->scale() : 1;
}

dnnl::primitive_attr StoredProduct::Attributes(int weights_mask) const {
  dnnl::primitive_attr attributes = PlanAttributes();
  attributes.set_scales_mask(DNNL_ARG_WEIGHTS, scales_.size() == 1 ? 0 : weights_mask);
  if (builder_.value(node_.inputs[0]).quantization->zero_point() != 0) {
    attributes.set_zero_points_mask(DNNL_ARG_SRC, 0);
  }
  return attributes;
}

void StoredProduct::Rescale(float to, float shift, dnnl::post_ops& post_ops) {
  if (unit_ != to || shift != 0) post_ops.append_eltwise(dnnl::algorithm::eltwise_linear, unit_ / to, shift);
  unit_ = to;
}

bool StoredProduct::Append(const PostOp& post_op, const memory::desc& result, dnnl::post_ops& post_ops,
                           std::vector<DnnlArgument>& arguments) {
  if (const Quantization* const addend = StoredAddend(post_op)) {
    // Before anything else, the bias has taken the zero point off.
    Rescale(addend->scale(), post_ops.len() == 0 ? 0 : -static_cast<float>(addend->zero_point()), post_ops);
    const ValueId operand = node_.inputs[post_op.operand];
    const memory::desc desc = WithType(result, *DnnlType(addend->type));
    // A product of matrices sees the rows of a larger tensor as one matrix.
    const memory::dims dims = DnnlDims(builder_.shape(operand));
    const memory::desc own = dims == desc.get_dims() ? desc : RowMajor(desc.get_data_type(), dims);
    arguments.push_back(
        {DNNL_ARG_ATTR_MULTIPLE_POST_OP(post_ops.len()) | DNNL_ARG_SRC_1, builder_.In(operand, own), desc});
    post_ops.append_binary(dnnl::algorithm::binary_add, desc);
    return true;
  }
  if (post_op.op == kRoundTo) {
    Rescale(post_op.alpha, 0, post_ops);
    post_ops.append_eltwise(dnnl::algorithm::eltwise_round, 0, 0);
    return true;
  }
  if (!KeepsUnits(post_op)) Rescale(1, 0, post_ops);
  PostOp scaled = post_op;
  if (post_op.op == "Clip") {
    scaled.alpha /= unit_;
    scaled.beta /= unit_;
  }
  return AppendPostOp(builder_, node_, scaled, WithType(result, memory::data_type::f32), post_ops, arguments);
}

bool StoredProduct::Finish(const memory::desc& result, const memory::desc& bias, dnnl::primitive_attr& attributes,
                           std::vector<DnnlArgument>& arguments) {
  const Quantization& source = *builder_.value(node_.inputs[0]).quantization;
  const auto channels = static_cast<int64_t>(scales_.size());
  arguments.push_back({DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                       builder_.Constant(Tensor::Of<float>({channels}, scales_)),
                       RowMajor(memory::data_type::f32, {channels})});
  SetZeroPoint(builder_, DNNL_ARG_SRC, source.zero_point(), attributes, arguments);
  if (has_bias()) arguments.push_back({DNNL_ARG_BIAS, builder_.Constant(bias_), bias});
  dnnl::post_ops post_ops;
  for (const PostOp& post_op : node_.post_ops) {
    if (!Append(post_op, result, post_ops, arguments)) return false;
  }
  const std::optional<Quantization>& stored = builder_.value(node_.outputs[0]).quantization;
  if (stored.has_value()) {
    SetScale(builder_, DNNL_ARG_DST, stored->scale() / unit_, attributes, arguments);
    SetZeroPoint(builder_, DNNL_ARG_DST, stored->zero_point(), attributes, arguments);
  } else {
    Rescale(1, 0, post_ops);
  }
  attributes.set_post_ops(post_ops);
  return true;
}

}  // namespace tandem::engine
