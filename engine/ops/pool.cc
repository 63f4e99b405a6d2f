// The pools: windows of one to three spatial axes, and their global forms.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"

namespace tandem::engine {

absl::Status InferMaxUnpool(InferContext& ctx);
absl::Status MaxUnpool(KernelContext& ctx);

namespace {

absl::Status CheckFloat(DataType type) {
  return Dispatch<float, double>(type, [](auto) { return absl::OkStatus(); });
}

template <typename F>
absl::Status DispatchMax(DataType type, F&& f) {
  return Dispatch<float, double, int8_t, uint8_t>(type, std::forward<F>(f));
}

absl::StatusOr<Window> WindowOf(const Attributes& attributes, const Shape& x) {
  if (x.size() < 3 || x.size() > 5) return OpError("input ", ToString(x), " has not one to three spatial axes");
  const auto kernel = attributes.Ints("kernel_shape");
  if (kernel.empty()) return OpError("kernel_shape is missing");
  return ConvWindow(attributes, absl::MakeConstSpan(x).subspan(2), kernel, /*honors_ceil_mode=*/true);
}

absl::StatusOr<std::optional<Shape>> PooledShape(const InferContext& ctx) {
  if (!ctx.has_shape(0)) return std::optional<Shape>();
  TANDEM_ASSIGN_OR_RETURN(const Window window, WindowOf(ctx.attributes(), ctx.shape(0)));
  Shape output = {ctx.shape(0)[0], ctx.shape(0)[1]};
  for (const WindowAxis& axis : window) output.push_back(axis.output);
  TANDEM_RETURN_IF_ERROR(CheckElementCount(output));
  return std::optional<Shape>(std::move(output));
}

absl::Status InferPool(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloat(ctx.type(0)));
  TANDEM_ASSIGN_OR_RETURN(auto shape, PooledShape(ctx));
  ctx.SetOutput(0, ctx.type(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status InferMaxPool(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(DispatchMax(ctx.type(0), [](auto) { return absl::OkStatus(); }));
  TANDEM_ASSIGN_OR_RETURN(auto shape, PooledShape(ctx));
  ctx.SetOutput(1, DataType::kInt64, shape);
  ctx.SetOutput(0, ctx.type(0), std::move(shape));
  return absl::OkStatus();
}

// Calls `f(output index, window counts with padding)` for every output of a plane, and `g(input index)` before it for
// every input element that the output's window covers.
template <typename G, typename F>
void ForEachWindow(const Window& window, G&& visit, F&& finish) {
  const WindowAxis& d = window[0];
  const WindowAxis& h = window[1];
  const WindowAxis& w = window[2];
  int64_t output = 0;
  for (int64_t od = 0; od < d.output; ++od) {
    const IndexRange kds = d.TapsOfOutput(od);
    for (int64_t oh = 0; oh < h.output; ++oh) {
      const IndexRange khs = h.TapsOfOutput(oh);
      for (int64_t ow = 0; ow < w.output; ++ow) {
        const IndexRange kws = w.TapsOfOutput(ow);
        for (int64_t kd = kds.begin; kd < kds.end; ++kd) {
          for (int64_t kh = khs.begin; kh < khs.end; ++kh) {
            const int64_t row = (d.InputOf(od, kd) * h.input + h.InputOf(oh, kh)) * w.input;
            for (int64_t kw = kws.begin; kw < kws.end; ++kw) visit(row + w.InputOf(ow, kw));
          }
        }
        finish(output++, od, oh, ow);
      }
    }
  }
}

int64_t Plane(const Window& window, int64_t WindowAxis::*member) {
  return window[0].*member * window[1].*member * window[2].*member;
}

// An index into a plane as MaxPool reports it: storage order 1 counts the first axis fastest.
int64_t ReportedIndex(const Window& window, int64_t index, bool column_major) {
  if (!column_major) return index;
  const int64_t w = index % window[2].input;
  const int64_t h = index / window[2].input % window[1].input;
  const int64_t d = index / window[2].input / window[1].input;
  return d + window[0].input * (h + window[1].input * w);
}

absl::Status MaxPool(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const Window axes, WindowOf(ctx.attributes(), x.shape()));
  const Window window = ThreeAxes(axes);
  const int64_t in_plane = Plane(window, &WindowAxis::input);
  const int64_t out_plane = Plane(window, &WindowAxis::output);
  const bool column_major = ctx.attributes().Int("storage_order", 0) != 0;
  return DispatchMax(x.type(), [&](auto t) {
    using T = decltype(t);
    constexpr T kLowest =
        std::is_integral_v<T> ? std::numeric_limits<T>::lowest() : -std::numeric_limits<T>::infinity();
    int64_t* indices = ctx.num_outputs() > 1 ? ctx.output(1).mutable_values<int64_t>().data() : nullptr;
    const T* source = x.values<T>().data();
    T* target = ctx.output(0).template mutable_values<T>().data();
    for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane, source += in_plane, target += out_plane) {
      T best = kLowest;
      int64_t best_index = -1;
      const auto visit = [&](int64_t i) {
        if (best_index < 0 || source[i] > best || source[i] != source[i]) {  // NaN wins, as everywhere
          best = source[i];
          best_index = i;
        }
      };
      ForEachWindow(window, visit, [&](int64_t output, int64_t, int64_t, int64_t) {
        target[output] = best;
        if (indices != nullptr) {
          const int64_t index = best_index < 0 ? 0 : ReportedIndex(window, best_index, column_major);
          indices[plane * out_plane + output] = plane * in_plane + index;
        }
        best = kLowest;
        best_index = -1;
      });
    }
    return absl::OkStatus();
  });
}

absl::Status AveragePool(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const Window axes, WindowOf(ctx.attributes(), x.shape()));
  const Window window = ThreeAxes(axes);
  const int64_t in_plane = Plane(window, &WindowAxis::input);
  const int64_t out_plane = Plane(window, &WindowAxis::output);
  const bool include_pad = ctx.attributes().Int("count_include_pad", 0) != 0;
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* source = x.values<T>().data();
    T* target = ctx.output(0).template mutable_values<T>().data();
    for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane, source += in_plane, target += out_plane) {
      T sum = 0;
      int64_t count = 0;
      const auto visit = [&](int64_t i) {
        sum += source[i];
        ++count;
      };
      ForEachWindow(window, visit, [&](int64_t output, int64_t od, int64_t oh, int64_t ow) {
        if (include_pad) {
          count = window[0].TapsWithPadding(od) * window[1].TapsWithPadding(oh) * window[2].TapsWithPadding(ow);
        }
        target[output] = count > 0 ? sum / static_cast<T>(count) : T{0};
        sum = 0;
        count = 0;
      });
    }
    return absl::OkStatus();
  });
}

// The exponent of an L^p norm.
absl::StatusOr<int64_t> NormOf(const Attributes& attributes) {
  const int64_t p = attributes.Int("p", 2);
  if (p < 1) return OpError("p is ", p, ", expected a positive number");
  return p;
}

template <typename T>
T Power(T x, int64_t p) {
  const T magnitude = std::abs(x);
  if (p == 1) return magnitude;
  return p == 2 ? magnitude * magnitude : std::pow(magnitude, static_cast<T>(p));
}

template <typename T>
T Root(T x, int64_t p) {
  if (p == 1) return x;
  return p == 2 ? std::sqrt(x) : std::pow(x, 1 / static_cast<T>(p));
}

absl::Status LpPool(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const Window axes, WindowOf(ctx.attributes(), x.shape()));
  TANDEM_ASSIGN_OR_RETURN(const int64_t p, NormOf(ctx.attributes()));
  const Window window = ThreeAxes(axes);
  const int64_t in_plane = Plane(window, &WindowAxis::input);
  const int64_t out_plane = Plane(window, &WindowAxis::output);
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* source = x.values<T>().data();
    T* target = ctx.output(0).template mutable_values<T>().data();
    for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane, source += in_plane, target += out_plane) {
      T sum = 0;
      ForEachWindow(
          window, [&](int64_t i) { sum += Power(source[i], p); },
          [&](int64_t output, int64_t, int64_t, int64_t) {
            target[output] = Root(sum, p);
            sum = 0;
          });
    }
    return absl::OkStatus();
  });
}

absl::Status InferGlobal(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloat(ctx.type(0)));
  std::optional<Shape> output;
  if (ctx.has_shape(0)) {
    if (ctx.shape(0).size() < 2) return OpError("input ", ToString(ctx.shape(0)), " has no channels");
    output = Shape(ctx.shape(0).size(), 1);
    (*output)[0] = ctx.shape(0)[0];
    (*output)[1] = ctx.shape(0)[1];
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

// Sets every output to `reduce(first element, count)` of its plane.
template <typename F>
absl::Status RunGlobal(KernelContext& ctx, F&& reduce) {
  const Tensor& x = ctx.input(0);
  const int64_t plane = NumElements(absl::MakeConstSpan(x.shape()).subspan(2));
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* source = x.values<T>().data();
    for (T& value : ctx.output(0).template mutable_values<T>()) {
      value = reduce(source, plane);
      source += plane;
    }
    return absl::OkStatus();
  });
}

absl::Status GlobalAveragePool(KernelContext& ctx) {
  return RunGlobal(ctx, [](const auto* x, int64_t count) {
    using T = std::decay_t<decltype(*x)>;
    T sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x[i];
    return count > 0 ? sum / static_cast<T>(count) : T{0};
  });
}

absl::Status GlobalMaxPool(KernelContext& ctx) {
  return RunGlobal(ctx, [](const auto* x, int64_t count) {
    using T = std::decay_t<decltype(*x)>;
    T best = -std::numeric_limits<T>::infinity();
    for (int64_t i = 0; i < count; ++i) best = x[i] > best || x[i] != x[i] ? x[i] : best;
    return best;
  });
}

absl::Status GlobalLpPool(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t p, NormOf(ctx.attributes()));
  return RunGlobal(ctx, [p](const auto* x, int64_t count) {
    std::decay_t<decltype(*x)> sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += Power(x[i], p);
    return Root(sum, p);
  });
}

constexpr OpDef kOps[] = {
    {"MaxPool", 1, 1, InferMaxPool, MaxPool},
    {"AveragePool", 1, 1, InferPool, AveragePool},
    {"LpPool", 1, 1, InferPool, LpPool},
    {"GlobalAveragePool", 1, 1, InferGlobal, GlobalAveragePool},
    {"GlobalMaxPool", 1, 1, InferGlobal, GlobalMaxPool},
    {"GlobalLpPool", 1, 1, InferGlobal, GlobalLpPool},
    {"MaxUnpool", 2, 3, InferMaxUnpool, MaxUnpool},
};

}  // namespace

absl::Span<const OpDef> PoolOps() { return kOps; }

}  // namespace tandem::engine
