// DeformConv: convolution whose taps are moved by learned offsets (arXiv 1703.06211) and weighted (arXiv 1811.11168).
#include <cmath>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

struct DeformShape {
  Window window;  // one to three axes
  int64_t batch = 0;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t groups = 1;
  int64_t offset_groups = 1;
  int64_t taps = 1;
  int64_t out_plane = 1;
  Shape output;
};

absl::StatusOr<DeformShape> ShapeOf(const Attributes& attributes, const Shape& x, const Shape& w) {
  if (x.size() < 3 || x.size() > 5) return OpError("input ", ToString(x), " has not one to three spatial axes");
  if (w.size() != x.size()) return OpError("weights ", ToString(w), " have not the rank of the input ", ToString(x));
  DeformShape shape{.batch = x[0], .in_channels = x[1], .out_channels = w[0]};
  const auto kernel = absl::MakeConstSpan(w).subspan(2);
  const auto given = attributes.Ints("kernel_shape");
  if (!given.empty() && absl::MakeConstSpan(given) != kernel) {
    return OpError("kernel_shape ", ToString(given), " is not that of the weights, ", ToString(kernel));
  }
  shape.groups = attributes.Int("group", 1);
  shape.offset_groups = attributes.Int("offset_group", 1);
  if (shape.groups < 1 || x[1] % shape.groups != 0 || w[0] % shape.groups != 0 || w[1] != x[1] / shape.groups) {
    return OpError("input ", ToString(x), " and weights ", ToString(w), " do not fit for ", shape.groups, " groups");
  }
  if (shape.offset_groups < 1 || x[1] % shape.offset_groups != 0) {
    return OpError(x[1], " channels do not divide into ", shape.offset_groups, " offset groups");
  }
  TANDEM_ASSIGN_OR_RETURN(shape.window, ConvWindow(attributes, absl::MakeConstSpan(x).subspan(2), kernel));
  shape.output = {shape.batch, shape.out_channels};
  for (const WindowAxis& axis : shape.window) shape.output.push_back(axis.output);
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
  for (const WindowAxis& axis : shape.window) {
    shape.taps *= axis.kernel;
    shape.out_plane *= axis.output;
  }
  return shape;
}

absl::Status CheckOptional(const InferContext& ctx, int input, absl::string_view name, const Shape& expected) {
  if (!ctx.has_input(input)) return absl::OkStatus();
  if (ctx.type(input) != ctx.type(0)) return OpError(name, " is ", NameOf(ctx.type(input)));
  if (!ctx.has_shape(input) || ctx.shape(input) == expected) return absl::OkStatus();
  return OpError(name, " is ", ToString(ctx.shape(input)), ", expected ", ToString(expected));
}

// The value of `plane` at a fractional position, linear between its neighbours and zero outside.
template <typename T>
T Sample(const Window& window, const T* plane, const T* position) {
  const int axes = static_cast<int>(window.size());
  int64_t low[3] = {};
  T fraction[3] = {};
  for (int i = 0; i < axes; ++i) {
    // Written so that NaN fails, too.
    if (!(position[i] > T{-1} && position[i] < static_cast<T>(window[i].input))) return T{0};
    low[i] = static_cast<int64_t>(std::floor(position[i]));
    fraction[i] = position[i] - static_cast<T>(low[i]);
  }
  T sum = 0;
  for (int corner = 0; corner < 1 << axes; ++corner) {
    T weight = 1;
    int64_t index = 0;
    bool inside = true;
    for (int i = 0; i < axes; ++i) {
      const int64_t at = low[i] + (corner >> i & 1);
      inside = inside && at >= 0 && at < window[i].input;
      weight *= (corner >> i & 1) != 0 ? fraction[i] : 1 - fraction[i];
      index = index * window[i].input + at;
    }
    if (inside) sum += weight * plane[index];
  }
  return sum;
}

template <typename T>
struct DeformInputs {
  const T* x;
  const T* w;
  const T* offset;
  const T* bias;  // null when absent
  const T* mask;  // null when absent
};

// samples[channel][tap]: what every tap of output `o` of sample `n` sees.
template <typename T>
void Gather(const DeformShape& shape, const DeformInputs<T>& in, int64_t n, int64_t o, std::vector<T>& samples) {
  const Window& window = shape.window;
  const int axes = static_cast<int>(window.size());
  int64_t in_plane = 1;
  for (const WindowAxis& axis : window) in_plane *= axis.input;
  const int64_t per_offset_group = shape.in_channels / shape.offset_groups;
  for (int64_t group = 0; group < shape.offset_groups; ++group) {
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      const int64_t row = (n * shape.offset_groups + group) * shape.taps + tap;
      T position[3];
      int64_t output = o;
      int64_t k = tap;
      for (int i = axes - 1; i >= 0; --i) {
        const int64_t start = window[i].InputOf(output % window[i].output, k % window[i].kernel);
        position[i] = static_cast<T>(start) + in.offset[(row * axes + i) * shape.out_plane + o];
        output /= window[i].output;
        k /= window[i].kernel;
      }
      const T mask = in.mask != nullptr ? in.mask[row * shape.out_plane + o] : T{1};
      for (int64_t c = group * per_offset_group; c < (group + 1) * per_offset_group; ++c) {
        const T* plane = in.x + (n * shape.in_channels + c) * in_plane;
        samples[c * shape.taps + tap] = mask * Sample(window, plane, position);
      }
    }
  }
}

template <typename T>
void Compute(const DeformShape& shape, const DeformInputs<T>& in, T* y) {
  const int64_t depth = shape.in_channels / shape.groups * shape.taps;
  const int64_t out_per_group = shape.out_channels / shape.groups;
  std::vector<T> samples(shape.in_channels * shape.taps);
  for (int64_t n = 0; n < shape.batch; ++n) {
    for (int64_t o = 0; o < shape.out_plane; ++o) {
      Gather(shape, in, n, o, samples);
      for (int64_t m = 0; m < shape.out_channels; ++m) {
        const T* sources = samples.data() + m / out_per_group * depth;
        T sum = in.bias != nullptr ? in.bias[m] : T{0};
        for (int64_t i = 0; i < depth; ++i) sum += sources[i] * in.w[m * depth + i];
        y[(n * shape.out_channels + m) * shape.out_plane + o] = sum;
      }
    }
  }
}

}  // namespace

absl::Status InferDeformConv(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(0), [](auto) { return absl::OkStatus(); })));
  if (ctx.type(1) != ctx.type(0)) return OpError("weights are ", NameOf(ctx.type(1)));
  std::optional<Shape> output;
  if (ctx.has_shape(0) && ctx.has_shape(1)) {
    TANDEM_ASSIGN_OR_RETURN(DeformShape shape, ShapeOf(ctx.attributes(), ctx.shape(0), ctx.shape(1)));
    Shape points = shape.output;
    if (shape.taps > kMaxElements / shape.offset_groups) return OpError("too many offsets");
    points[1] = shape.offset_groups * shape.taps;
    Shape offsets = points;
    offsets[1] *= static_cast<int64_t>(shape.window.size());
    TANDEM_RETURN_IF_ERROR(CheckOptional(ctx, 2, "offset", offsets));
    TANDEM_RETURN_IF_ERROR(CheckOptional(ctx, 3, "bias", {shape.out_channels}));
    TANDEM_RETURN_IF_ERROR(CheckOptional(ctx, 4, "mask", points));
    output = std::move(shape.output);
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

absl::Status DeformConv(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const DeformShape shape,
                          ShapeOf(ctx.attributes(), ctx.input(0).shape(), ctx.input(1).shape()));
  if (NumElements(shape.output) == 0) return absl::OkStatus();
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    const auto data = [&](int i) { return ctx.has_input(i) ? ctx.input(i).values<T>().data() : nullptr; };
    const DeformInputs<T> in{data(0), data(1), data(2), data(3), data(4)};
    Compute(shape, in, ctx.output(0).template mutable_values<T>().data());
    return absl::OkStatus();
  });
}

}  // namespace tandem::engine
