// Convolutions of quantized numbers: ConvInteger, also with its sums cast to float32, and QLinearConv.
#include <vector>

#include "engine/ops/conv_loops.h"
#include "engine/ops/conv_shape.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/quantize.h"

namespace tandem::engine {

namespace {

using Bytes = Types<int8_t, uint8_t>;

// Where the operands are among the inputs; -1 for what the operator has not.
struct ConvInputs {
  int x;
  int x_scale;
  int x_zero_point;
  int w;
  int w_scale;
  int w_zero_point;
  int y_scale;
  int y_zero_point;
  int bias;
};
constexpr ConvInputs kConvInteger{0, -1, 2, 1, -1, 3, -1, -1, -1};
constexpr ConvInputs kQLinearConv{0, 1, 2, 3, 4, 5, 6, 7, 8};

// Input `i`, if the operator has it and it is given, is of `type` and has one element, or `channels`.
absl::Status CheckInput(const InferContext& ctx, int i, DataType type, int64_t channels = 1) {
  if (i < 0 || !ctx.has_input(i)) return absl::OkStatus();
  if (ctx.type(i) != type) return OpError("input ", i, " is ", NameOf(ctx.type(i)), ", not ", NameOf(type));
  if (!ctx.has_shape(i)) return absl::OkStatus();
  const int64_t count = NumElements(ctx.shape(i));
  if (count == 1 || count == channels) return absl::OkStatus();
  return OpError("input ", i, " has shape ", ToString(ctx.shape(i)), ", expected one element",
                 channels == 1 ? "" : absl::StrCat(" or ", channels));
}

absl::Status InferConv(InferContext& ctx, const ConvInputs& inputs, DataType output) {
  TANDEM_RETURN_IF_ERROR(Bytes::Check(ctx.type(inputs.x)));
  TANDEM_RETURN_IF_ERROR(Bytes::Check(ctx.type(inputs.w)));
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.x_zero_point, ctx.type(inputs.x)));
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.x_scale, DataType::kFloat32));
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.y_scale, DataType::kFloat32));
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.y_zero_point, output));
  ctx.SetOutput(0, output, std::nullopt);
  if (!ctx.has_shape(inputs.x) || !ctx.has_shape(inputs.w)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const ConvShape shape,
                          ShapeOfConv(ctx.attributes(), ctx.shape(inputs.x), ctx.shape(inputs.w)));
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
  const int64_t channels = shape.out_channels;
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.w_zero_point, ctx.type(inputs.w), channels));
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.w_scale, DataType::kFloat32, channels));
  TANDEM_RETURN_IF_ERROR(CheckInput(ctx, inputs.bias, DataType::kInt32, channels));
  if (inputs.bias >= 0 && ctx.has_input(inputs.bias) && ctx.has_shape(inputs.bias) &&
      NumElements(ctx.shape(inputs.bias)) != channels) {
    return OpError("the bias has shape ", ToString(ctx.shape(inputs.bias)), " for ", channels, " channels");
  }
  ctx.SetOutput(0, output, shape.output);
  return absl::OkStatus();
}

absl::Status InferConvInteger(InferContext& ctx) { return InferConv(ctx, kConvInteger, DataType::kInt32); }

absl::Status InferConvIntegerToFloat(InferContext& ctx) { return InferConv(ctx, kConvInteger, DataType::kFloat32); }

absl::Status InferQLinearConv(InferContext& ctx) {
  const DataType output = ctx.type(kQLinearConv.y_zero_point);
  TANDEM_RETURN_IF_ERROR(Bytes::Check(output));
  return InferConv(ctx, kQLinearConv, output);
}

// The values less their zero points: one for all, or one for each slice along the first axis. Unsigned, so that sums of
// products wrap around instead of overflowing.
std::vector<uint32_t> Centered(const Tensor& x, const Tensor* zero_point) {
  std::vector<uint32_t> centered(x.num_elements());
  const absl::Status status = Bytes::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* values = x.values<T>().data();
    const auto zeros = zero_point != nullptr ? zero_point->values<T>() : absl::Span<const T>();
    const int64_t slices = std::max<int64_t>(zeros.size(), 1);
    const int64_t slice = x.num_elements() / slices;
    for (int64_t s = 0; s < slices; ++s) {
      const int32_t zero = zeros.empty() ? 0 : zeros[s];
      for (int64_t i = s * slice; i < (s + 1) * slice; ++i) centered[i] = static_cast<uint32_t>(values[i] - zero);
    }
    return absl::OkStatus();
  });
  TANDEM_CHECK(status.ok(), status.message());
  return centered;
}

const Tensor* InputOrNull(const KernelContext& ctx, int i) {
  return i >= 0 && ctx.has_input(i) ? &ctx.input(i) : nullptr;
}

// Calls `f(plane of sums, its output channel, its offset in the output)` for every plane of the output.
template <typename F>
absl::Status ForEachPlane(const KernelContext& ctx, const ConvInputs& inputs, F&& f) {
  const Tensor& x = ctx.input(inputs.x);
  const Tensor& w = ctx.input(inputs.w);
  TANDEM_ASSIGN_OR_RETURN(const ConvShape shape, ShapeOfConv(ctx.attributes(), x.shape(), w.shape()));
  if (NumElements(shape.output) == 0) return absl::OkStatus();
  const Window window = ThreeAxes(shape.window);
  const int64_t in_plane = WindowProduct(window, &WindowAxis::input);
  const int64_t taps = WindowProduct(window, &WindowAxis::kernel);
  const std::vector<uint32_t> source = Centered(x, InputOrNull(ctx, inputs.x_zero_point));
  const std::vector<uint32_t> weights = Centered(w, InputOrNull(ctx, inputs.w_zero_point));
  std::vector<uint32_t> sums(WindowProduct(window, &WindowAxis::output));
  for (int64_t plane = 0; plane < shape.batch * shape.out_channels; ++plane) {
    const int64_t channel = plane % shape.out_channels;
    const int64_t group = channel / shape.out_per_group();
    const int64_t first = plane / shape.out_channels * shape.in_channels + group * shape.in_per_group();
    std::fill(sums.begin(), sums.end(), 0);
    for (int64_t i = 0; i < shape.in_per_group(); ++i) {
      Correlate(window, source.data() + (first + i) * in_plane,
                weights.data() + (channel * shape.in_per_group() + i) * taps, sums.data());
    }
    f(sums, channel, plane * static_cast<int64_t>(sums.size()));
  }
  return absl::OkStatus();
}

// ConvInteger with sums of type T.
template <typename T>
absl::Status ConvolveIntegers(KernelContext& ctx) {
  T* y = ctx.output(0).mutable_values<T>().data();
  return ForEachPlane(ctx, kConvInteger, [&](const std::vector<uint32_t>& sums, int64_t channel, int64_t at) {
    for (size_t i = 0; i < sums.size(); ++i) y[at + i] = static_cast<T>(static_cast<int32_t>(sums[i]));
  });
}

absl::Status ConvInteger(KernelContext& ctx) { return ConvolveIntegers<int32_t>(ctx); }

absl::Status ConvIntegerToFloat(KernelContext& ctx) { return ConvolveIntegers<float>(ctx); }

absl::Status QLinearConv(KernelContext& ctx) {
  const auto w_scales = ctx.input(kQLinearConv.w_scale).values<float>();
  const float x_scale = ctx.input(kQLinearConv.x_scale).values<float>()[0];
  const float y_scale = ctx.input(kQLinearConv.y_scale).values<float>()[0];
  const int32_t* bias =
      ctx.has_input(kQLinearConv.bias) ? ctx.input(kQLinearConv.bias).values<int32_t>().data() : nullptr;
  return Bytes::Dispatch(ctx.output(0).type(), [&](auto q) {
    using Q = decltype(q);
    const Quantizer<Q> quantizer(ctx.input(kQLinearConv.y_zero_point).values<Q>()[0]);
    Q* y = ctx.output(0).mutable_values<Q>().data();
    return ForEachPlane(ctx, kQLinearConv, [&](const std::vector<uint32_t>& sums, int64_t channel, int64_t at) {
      const float scale = x_scale * w_scales[w_scales.size() == 1 ? 0 : channel] / y_scale;
      const uint32_t offset = bias != nullptr ? static_cast<uint32_t>(bias[channel]) : 0;
      for (size_t i = 0; i < sums.size(); ++i) {
        y[at + i] = quantizer(static_cast<float>(static_cast<int32_t>(sums[i] + offset)) * scale);
      }
    });
  });
}

constexpr OpDef kOps[] = {
    {"ConvInteger", 2, 4, InferConvInteger, ConvInteger},
    {"QLinearConv", 8, 9, InferQLinearConv, QLinearConv},
    {"tandem.ConvIntegerToFloat", 2, 4, InferConvIntegerToFloat, ConvIntegerToFloat},
};

}  // namespace

absl::Span<const OpDef> IntegerConvOps() { return kOps; }

}  // namespace tandem::engine
