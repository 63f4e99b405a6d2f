// Conv and ConvTranspose over one to three spatial axes.
#include <algorithm>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"

namespace tandem::engine {

absl::Status InferDeformConv(InferContext& ctx);
absl::Status DeformConv(KernelContext& ctx);

namespace {

// Everything that the two operators compute from their shapes.
struct ConvShape {
  int64_t batch = 0;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t groups = 1;
  Window window;
  Shape output;

  int64_t in_per_group() const { return in_channels / groups; }
  int64_t out_per_group() const { return out_channels / groups; }
};

absl::Status CheckRanks(const Shape& x, const Shape& w) {
  if (x.size() < 3 || x.size() > 5) return OpError("input ", ToString(x), " has not one to three spatial axes");
  if (w.size() != x.size()) return OpError("weights ", ToString(w), " have not the rank of the input ", ToString(x));
  return absl::OkStatus();
}

absl::Status CheckKernelShape(const Attributes& attributes, absl::Span<const int64_t> kernel) {
  const auto given = attributes.Ints("kernel_shape");
  if (given.empty() || absl::MakeConstSpan(given) == kernel) return absl::OkStatus();
  return OpError("kernel_shape ", ToString(given), " is not that of the weights, ", ToString(kernel));
}

absl::StatusOr<int64_t> GroupsOf(const Attributes& attributes, int64_t channels) {
  const int64_t groups = attributes.Int("group", 1);
  if (groups < 1 || channels % groups != 0)
    return OpError(channels, " channels do not divide into ", groups, " groups");
  return groups;
}

absl::StatusOr<ConvShape> ShapeOfConv(const Attributes& attributes, const Shape& x, const Shape& w) {
  TANDEM_RETURN_IF_ERROR(CheckRanks(x, w));
  const auto kernel = absl::MakeConstSpan(w).subspan(2);
  TANDEM_RETURN_IF_ERROR(CheckKernelShape(attributes, kernel));
  ConvShape shape{.batch = x[0], .in_channels = x[1], .out_channels = w[0]};
  TANDEM_ASSIGN_OR_RETURN(shape.groups, GroupsOf(attributes, w[0]));
  if (x[1] % shape.groups != 0 || x[1] / shape.groups != w[1]) {
    return OpError("input ", ToString(x), " and weights ", ToString(w), " do not fit for ", shape.groups, " groups");
  }
  TANDEM_ASSIGN_OR_RETURN(shape.window, ConvWindow(attributes, absl::MakeConstSpan(x).subspan(2), kernel));
  shape.output = {shape.batch, shape.out_channels};
  for (const WindowAxis& axis : shape.window) shape.output.push_back(axis.output);
  return shape;
}

absl::StatusOr<ConvShape> ShapeOfConvTranspose(const Attributes& attributes, const Shape& x, const Shape& w) {
  TANDEM_RETURN_IF_ERROR(CheckRanks(x, w));
  const auto kernel = absl::MakeConstSpan(w).subspan(2);
  TANDEM_RETURN_IF_ERROR(CheckKernelShape(attributes, kernel));
  ConvShape shape{.batch = x[0], .in_channels = x[1]};
  TANDEM_ASSIGN_OR_RETURN(shape.groups, GroupsOf(attributes, x[1]));
  if (w[0] != x[1]) return OpError("input ", ToString(x), " and weights ", ToString(w), " differ in channels");
  if (w[1] > kMaxElements / shape.groups) return OpError("weights ", ToString(w), " are too many");
  shape.out_channels = w[1] * shape.groups;
  TANDEM_ASSIGN_OR_RETURN(shape.window, ConvTransposeWindow(attributes, absl::MakeConstSpan(x).subspan(2), kernel));
  shape.output = {shape.batch, shape.out_channels};
  for (const WindowAxis& axis : shape.window) shape.output.push_back(axis.input);
  return shape;
}

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

// Calls `f(input row, tap, output row, axis 2's outputs of the tap)` for every pair of rows that meet in a tap. Rows
// and taps are numbered as in dense [.., .., ..] arrays of three axes.
template <typename F>
void ForEachRow(const Window& window, F&& f) {
  const WindowAxis& d = window[0];
  const WindowAxis& h = window[1];
  const WindowAxis& w = window[2];
  for (int64_t kd = 0; kd < d.kernel; ++kd) {
    const IndexRange planes = d.OutputsOfTap(kd);
    for (int64_t kh = 0; kh < h.kernel; ++kh) {
      const IndexRange rows = h.OutputsOfTap(kh);
      for (int64_t kw = 0; kw < w.kernel; ++kw) {
        const IndexRange columns = w.OutputsOfTap(kw);
        const int64_t tap = (kd * h.kernel + kh) * w.kernel + kw;
        const int64_t first = w.InputOf(columns.begin, kw);
        for (int64_t od = planes.begin; od < planes.end; ++od) {
          for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
            const int64_t input = (d.InputOf(od, kd) * h.input + h.InputOf(oh, kh)) * w.input + first;
            const int64_t output = (od * h.output + oh) * w.output + columns.begin;
            f(input, tap, output, columns.end - columns.begin);
          }
        }
      }
    }
  }
}

// y (an output plane) += x (an input plane) correlated with the taps.
template <typename T>
void Correlate(const Window& window, const T* x, const T* taps, T* y) {
  const int64_t stride = window[2].stride;
  ForEachRow(window, [&](int64_t input, int64_t tap, int64_t output, int64_t count) {
    const T weight = taps[tap];
    const T* source = x + input;
    T* target = y + output;
    if (stride == 1) {
      for (int64_t i = 0; i < count; ++i) target[i] += weight * source[i];
    } else {
      for (int64_t i = 0; i < count; ++i) target[i] += weight * source[i * stride];
    }
  });
}

// The transposed: y (a plane of the window's input) += what x (a plane of its output) spreads through the taps.
template <typename T>
void Spread(const Window& window, const T* x, const T* taps, T* y) {
  const int64_t stride = window[2].stride;
  ForEachRow(window, [&](int64_t input, int64_t tap, int64_t output, int64_t count) {
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

int64_t Product(const Window& window, int64_t WindowAxis::*member) {
  int64_t product = 1;
  for (const WindowAxis& axis : window) product *= axis.*member;
  return product;
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
  const int64_t in_plane = Product(window, kTransposed ? &WindowAxis::output : &WindowAxis::input);
  const int64_t out_plane = Product(window, kTransposed ? &WindowAxis::input : &WindowAxis::output);
  const int64_t taps = Product(window, &WindowAxis::kernel);
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
