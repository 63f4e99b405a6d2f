// Between real numbers and integers with a scale and a zero point: QuantizeLinear, DequantizeLinear,
// DynamicQuantizeLinear.
#include "engine/ops/quantize.h"

#include <limits>

#include "engine/ops/dims.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

using QuantizedTypes = Types<int8_t, uint8_t, int16_t, uint16_t>;
using DequantizableTypes = Types<int8_t, uint8_t, int16_t, uint16_t, int32_t>;

// Which scale belongs to which elements.
struct Granularity {
  AxisView view;          // around the axis; per tensor, all elements are `inner`
  bool per_axis = false;  // one scale for each position along the axis
  int64_t block = 0;      // blocked: positions along the axis that share scales, of which there are `inner`
};

absl::StatusOr<Granularity> GranularityOf(const Attributes& attributes, const Shape& x, const Shape& scale) {
  const int64_t rank = static_cast<int64_t>(x.size());
  if (scale.empty() || (scale.size() == 1 && scale[0] == 1)) return Granularity{{1, 1, NumElements(x)}};
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(attributes.Int("axis", 1), rank));
  const int64_t block = attributes.Int("block_size", 0);
  if (block < 0) return OpError("block_size is ", block);
  const AxisView view = ViewAround(x, axis);
  if (block == 0) {
    if (scale == Shape{x[axis]}) return Granularity{.view = view, .per_axis = true};
    return OpError("scales of shape ", ToString(scale), " do not fit axis ", axis, " of ", ToString(x));
  }
  Shape expected = x;
  expected[axis] = x[axis] / block + (x[axis] % block != 0 ? 1 : 0);
  if (scale != expected) {
    return OpError("scales have shape ", ToString(scale), ", expected ", ToString(expected), " for blocks of ", block,
                   " along axis ", axis, " of ", ToString(x));
  }
  return Granularity{.view = view, .block = block};
}

// Calls `f(offset, count, scale, step)` for runs of elements: element i of a run has scale number scale + i * step.
template <typename F>
void ForEachRun(const Granularity& granularity, F&& f) {
  const auto& [outer, length, inner] = granularity.view;
  if (!granularity.per_axis && granularity.block == 0) return f(0, inner, 0, 0);
  if (granularity.per_axis && inner == 1) {
    for (int64_t o = 0; o < outer; ++o) f(o * length, length, 0, 1);
    return;
  }
  const int64_t block = std::max<int64_t>(granularity.block, 1);
  const int64_t blocks = length / block + (length % block != 0 ? 1 : 0);
  if (inner == 1) {  // blocks are runs themselves
    for (int64_t i = 0; i < outer * blocks; ++i) {
      const int64_t first = i % blocks * block;
      f(i / blocks * length + first, std::min(block, length - first), i, 0);
    }
    return;
  }
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t k = 0; k < length; ++k) {
      const int64_t at = (o * length + k) * inner;
      if (granularity.per_axis)
        f(at, inner, k, 0);
      else
        f(at, inner, (o * blocks + k / block) * inner, 1);
    }
  }
}

// Types and shapes that both directions check: `scale` is input 1, the zero point input 2.
absl::Status CheckQuantization(const InferContext& ctx, DataType quantized) {
  TANDEM_RETURN_IF_ERROR(Types<float>::Check(ctx.type(1)));
  if (ctx.has_input(2) && ctx.type(2) != quantized) {
    return OpError("the zero point is ", NameOf(ctx.type(2)), ", the quantized type ", NameOf(quantized));
  }
  if (!ctx.has_shape(1)) return absl::OkStatus();
  if (ctx.has_input(2) && ctx.has_shape(2)) {
    const bool scalars = NumElements(ctx.shape(1)) == 1 && NumElements(ctx.shape(2)) == 1;
    if (!scalars && ctx.shape(1) != ctx.shape(2)) {
      return OpError("scale and zero point have shapes ", ToString(ctx.shape(1)), " and ", ToString(ctx.shape(2)));
    }
  }
  if (!ctx.has_shape(0)) return absl::OkStatus();
  return GranularityOf(ctx.attributes(), ctx.shape(0), ctx.shape(1)).status();
}

absl::Status InferQuantize(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Types<float, int32_t>::Check(ctx.type(0))));
  DataType type = ctx.has_input(2) ? ctx.type(2) : DataType::kUInt8;
  if (const int64_t code = ctx.attributes().Int("output_dtype", 0); code != 0) {
    TANDEM_ASSIGN_OR_RETURN(type, TypeOfOnnxCode(code));
  }
  TANDEM_RETURN_IF_ERROR(QuantizedTypes::Check(type));
  TANDEM_RETURN_IF_ERROR(CheckQuantization(ctx, type));
  ctx.SetOutput(0, type, ShapeOf(ctx, 0));
  return absl::OkStatus();
}

template <typename X, typename Q>
absl::Status QuantizeTo(KernelContext& ctx, const Granularity& granularity) {
  const X* x = ctx.input(0).values<X>().data();
  const float* scales = ctx.input(1).values<float>().data();
  const Q* zeros = ctx.has_input(2) ? ctx.input(2).values<Q>().data() : nullptr;
  Q* y = ctx.output(0).mutable_values<Q>().data();
  ForEachRun(granularity, [&](int64_t at, int64_t count, int64_t first, int64_t step) {
    if (step == 0) {
      const Quantizer<Q> quantizer(zeros != nullptr ? zeros[first] : Q{0});
      const float scale = scales[first];
      for (int64_t i = 0; i < count; ++i) y[at + i] = quantizer(static_cast<float>(x[at + i]) / scale);
      return;
    }
    for (int64_t i = 0; i < count; ++i) {
      const Quantizer<Q> quantizer(zeros != nullptr ? zeros[first + i] : Q{0});
      y[at + i] = quantizer(static_cast<float>(x[at + i]) / scales[first + i]);
    }
  });
  return absl::OkStatus();
}

absl::Status Quantize(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const Granularity granularity,
                          GranularityOf(ctx.attributes(), ctx.input(0).shape(), ctx.input(1).shape()));
  return QuantizedTypes::Dispatch(ctx.output(0).type(), [&](auto q) {
    using Q = decltype(q);
    if (ctx.input(0).type() == DataType::kInt32) return QuantizeTo<int32_t, Q>(ctx, granularity);
    return QuantizeTo<float, Q>(ctx, granularity);
  });
}

absl::Status InferDequantize(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(DequantizableTypes::Check(ctx.type(0)));
  TANDEM_RETURN_IF_ERROR(CheckQuantization(ctx, ctx.type(0)));
  if (const int64_t code = ctx.attributes().Int("output_dtype", 0); code != 0) {
    TANDEM_ASSIGN_OR_RETURN(const DataType type, TypeOfOnnxCode(code));
    if (!IsFloat(type)) return OpError("output_dtype is ", NameOf(type), ", not a floating type");
  }
  ctx.SetOutput(0, DataType::kFloat32, ShapeOf(ctx, 0));
  return absl::OkStatus();
}

template <typename Q>
void DequantizeFrom(KernelContext& ctx, const Granularity& granularity) {
  const Q* x = ctx.input(0).values<Q>().data();
  const float* scales = ctx.input(1).values<float>().data();
  const Q* zeros = ctx.has_input(2) ? ctx.input(2).values<Q>().data() : nullptr;
  float* y = ctx.output(0).mutable_values<float>().data();
  // Differences of 32-bit integers need more than 32 bits.
  using Wide = std::conditional_t<sizeof(Q) == 4, int64_t, int32_t>;
  ForEachRun(granularity, [&](int64_t at, int64_t count, int64_t first, int64_t step) {
    if (step == 0) {
      const Wide zero = zeros != nullptr ? zeros[first] : 0;
      const float scale = scales[first];
      for (int64_t i = 0; i < count; ++i) y[at + i] = static_cast<float>(x[at + i] - zero) * scale;
      return;
    }
    for (int64_t i = 0; i < count; ++i) {
      const Wide zero = zeros != nullptr ? zeros[first + i] : 0;
      y[at + i] = static_cast<float>(x[at + i] - zero) * scales[first + i];
    }
  });
}

absl::Status Dequantize(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const Granularity granularity,
                          GranularityOf(ctx.attributes(), ctx.input(0).shape(), ctx.input(1).shape()));
  return DequantizableTypes::Dispatch(ctx.input(0).type(), [&](auto q) {
    DequantizeFrom<decltype(q)>(ctx, granularity);
    return absl::OkStatus();
  });
}

absl::Status InferDynamicQuantize(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(Types<float>::Check(ctx.type(0)));
  ctx.SetOutput(0, DataType::kUInt8, ShapeOf(ctx, 0));
  ctx.SetOutput(1, DataType::kFloat32, Shape{});
  ctx.SetOutput(2, DataType::kUInt8, Shape{});
  return absl::OkStatus();
}

absl::Status DynamicQuantize(KernelContext& ctx) {
  const auto x = ctx.input(0).values<float>();
  float low = 0;  // the range always holds zero
  float high = 0;
  for (float value : x) {
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  // All zeros: any scale will do.
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;
  const uint8_t zero = Quantizer<uint8_t>(0)(-low / scale);
  const Quantizer<uint8_t> quantizer(zero);
  uint8_t* y = ctx.output(0).mutable_values<uint8_t>().data();
  for (size_t i = 0; i < x.size(); ++i) y[i] = quantizer(x[i] / scale);
  if (ctx.num_outputs() > 1) ctx.output(1).mutable_values<float>()[0] = scale;
  if (ctx.num_outputs() > 2) ctx.output(2).mutable_values<uint8_t>()[0] = zero;
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"QuantizeLinear", 2, 3, InferQuantize, Quantize},
    {"DequantizeLinear", 2, 3, InferDequantize, Dequantize},
    {"DynamicQuantizeLinear", 1, 1, InferDynamicQuantize, DynamicQuantize},
};

}  // namespace

absl::Span<const OpDef> QuantizeOps() { return kOps; }

}  // namespace tandem::engine
