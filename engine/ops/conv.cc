// Conv and ConvTranspose over one to three spatial axes.
#include <algorithm>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/conv_loops.h"
#include "engine/ops/conv_shape.h"
#include "engine/ops/families.h"

namespace tandem::engine {

absl::Status InferDeformConv(InferContext& ctx);
absl::Status DeformConv(KernelContext& ctx);

namespace {

using ShapeFunction = absl::StatusOr<ConvShape> (*)(const Attributes&, const Shape&, const Shape&);

template <ShapeFunction kShapeOf>
absl::Status Infer(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(0), [](auto) { return absl::OkStatus(); })));
  if (ctx.type(1) != ctx.type(0)) return OpError("weights are ", NameOf(ctx.type(1)), ", not ", NameOf(ctx.type(0)));
  std::optional<Shape> output;
  if (ctx.has_shape(0) && ctx.has_shape(1)) {
    TANDEM_ASSIGN_OR_RETURN(ConvShape shape, kShapeOf(ctx.attributes(), ctx.shape(0), ctx.shape(1)));
    TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
    if (ctx.has_input(2) && ctx.has_shape(2) && ctx.shape(2) != Shape{shape.out_channels}) {
      return OpError("bias is ", ToString(ctx.shape(2)), ", expected [", shape.out_channels, "]");
    }
    output = std::move(shape.output);
  }
  if (ctx.has_input(2) && ctx.type(2) != ctx.type(0)) return OpError("bias is ", NameOf(ctx.type(2)));
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

// The transposed: y (a plane of the window's input) += what x (a plane of its output) spreads through the taps.
template <typename T>
void Spread(const Window& window, const T* x, const T* taps, T* y) {
  const int64_t stride = window[2].stride;
  ForEachTapRow(window, [&](int64_t input, int64_t tap, int64_t output, int64_t count) {
    const T weight = taps[tap];
    const T* source = x + output;
    T* target = y + input;
    if (stride == 1) {
      for (int64_t i = 0; i < count; ++i) target[i] += weight * source[i];
    } else {
      for (int64_t i = 0; i < count; ++i) target[i * stride] += weight * source[i];
    }
  });
}

template <typename T>
void FillWithBias(const KernelContext& ctx, int64_t batch, int64_t channels, int64_t plane, T* y) {
  const T* bias = ctx.has_input(2) ? ctx.input(2).values<T>().data() : nullptr;
  for (int64_t i = 0; i < batch * channels; ++i) {
    std::fill_n(y + i * plane, plane, bias != nullptr ? bias[i % channels] : T{0});
  }
}

template <bool kTransposed>
absl::Status Run(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  const Tensor& w = ctx.input(1);
  TANDEM_ASSIGN_OR_RETURN(ConvShape shape, kTransposed ? ShapeOfConvTranspose(ctx.attributes(), x.shape(), w.shape())
                                                       : ShapeOfConv(ctx.attributes(), x.shape(), w.shape()));
  const Window window = ThreeAxes(shape.window);
  const int64_t in_plane = WindowProduct(window, kTransposed ? &WindowAxis::output : &WindowAxis::input);
  const int64_t out_plane = WindowProduct(window, kTransposed ? &WindowAxis::input : &WindowAxis::output);
  const int64_t taps = WindowProduct(window, &WindowAxis::kernel);
  const int64_t in_count = shape.in_per_group();
  const int64_t out_count = shape.out_per_group();
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* source = x.values<T>().data();
    const T* weights = w.values<T>().data();
    T* target = ctx.output(0).template mutable_values<T>().data();
    FillWithBias(ctx, shape.batch, shape.out_channels, out_plane, target);
    for (int64_t image = 0; image < shape.batch * shape.groups; ++image) {  // a group of one sample
      const int64_t group = image % shape.groups;
      for (int64_t o = 0; o < out_count; ++o) {
        T* y = target + (image * out_count + o) * out_plane;
        for (int64_t i = 0; i < in_count; ++i) {
          const T* plane = source + (image * in_count + i) * in_plane;
          if constexpr (kTransposed) {
            Spread(window, plane, weights + ((group * in_count + i) * out_count + o) * taps, y);
          } else {
            Correlate(window, plane, weights + ((group * out_count + o) * in_count + i) * taps, y);
          }
        }
      }
    }
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"Conv", 2, 3, Infer<ShapeOfConv>, Run<false>},
    {"ConvTranspose", 2, 3, Infer<ShapeOfConvTranspose>, Run<true>},
    {"DeformConv", 3, 5, InferDeformConv, DeformConv},
};

}  // namespace

absl::Span<const OpDef> ConvOps() { return kOps; }

}  // namespace tandem::engine
