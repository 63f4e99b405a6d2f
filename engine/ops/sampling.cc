// Sampling at arbitrary positions: GridSample, and AffineGrid that makes its grids.
#include <algorithm>
#include <array>
#include <cmath>

#include "absl/container/inlined_vector.h"
#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

enum class Mode { kNearest, kLinear, kCubic };
enum class Padding { kZeros, kBorder, kReflection };

struct SampleOptions {
  Mode mode = Mode::kLinear;
  Padding padding = Padding::kZeros;
  bool align_corners = false;
};

absl::StatusOr<SampleOptions> OptionsOf(const Attributes& attributes) {
  SampleOptions options;
  const std::string mode = attributes.String("mode", "linear");
  if (mode == "nearest") {
    options.mode = Mode::kNearest;
  } else if (mode == "cubic" || mode == "bicubic") {
    options.mode = Mode::kCubic;
  } else if (mode != "linear" && mode != "bilinear") {
    return OpError("mode '", mode, "' is not supported");
  }
  const std::string padding = attributes.String("padding_mode", "zeros");
  if (padding == "border") {
    options.padding = Padding::kBorder;
  } else if (padding == "reflection") {
    options.padding = Padding::kReflection;
  } else if (padding != "zeros") {
    return OpError("padding_mode '", padding, "' is not supported");
  }
  options.align_corners = attributes.Int("align_corners", 0) != 0;
  return options;
}

absl::Status InferGridSample(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(OptionsOf(ctx.attributes()).status());
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (ctx.type(1) != DataType::kFloat32 && ctx.type(1) != DataType::kFloat64) {
    return OpError("the grid must be float32 or float64, got ", NameOf(ctx.type(1)));
  }
  if (!ctx.has_shape(0) || !ctx.has_shape(1)) return absl::OkStatus();
  const Shape& input = ctx.shape(0);
  const Shape& grid = ctx.shape(1);
  const int64_t axes = static_cast<int64_t>(input.size()) - 2;
  if (axes < 1 || axes > 3 || grid.size() != input.size() || grid.back() != axes || grid[0] != input[0]) {
    return OpError("a grid ", ToString(grid), " does not fit an input ", ToString(input));
  }
  Shape shape = {input[0], input[1]};
  shape.insert(shape.end(), grid.begin() + 1, grid.end() - 1);
  if (NumElements(input) == 0 && NumElements(grid) > 0) return OpError("cannot sample from ", ToString(input));
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

// Mirrors `x` at the borders until it lies within.
float Reflect(float x, float low, float high) {
  const float range = high - low;
  if (!(range > 0) || !std::isfinite(x)) return low;
  if (x >= low && x <= high) return x;
  const float beyond = x < low ? low - x : x - high;
  const float times = std::trunc(beyond / range);
  const float rest = std::clamp(beyond - times * range, 0.0f, range);
  const bool from_low = (x < low) == (std::fmod(times, 2.0f) == 0.0f);
  return from_low ? low + rest : high - rest;
}

// Up to four weighted positions along one axis; a position of -1 reads zero.
struct AxisTaps {
  int count = 0;
  std::array<int64_t, 4> index;
  std::array<float, 4> weight;

  void Add(int64_t at, float w) {
    index[count] = at;
    weight[count++] = w;
  }
};

// The taps of normalized coordinate `n` (-1 to 1 spans the axis).
AxisTaps TapsAt(float n, int64_t length, const SampleOptions& options) {
  const float size = static_cast<float>(length);
  const float low = options.align_corners ? 0.0f : -0.5f;
  const float high = options.align_corners ? size - 1 : size - 0.5f;
  float x = options.align_corners ? (n + 1) / 2 * (size - 1) : ((n + 1) * size - 1) / 2;
  if (options.mode == Mode::kNearest) x = std::nearbyint(x);
  if (options.padding == Padding::kBorder) x = x >= 0 ? std::min(x, size - 1) : 0;
  if (options.padding == Padding::kReflection && !(x >= low && x <= high)) x = Reflect(x, low, high);
  AxisTaps taps;
  // Far from the input, or not a number: nothing to read, and no integer to make of it.
  if (!(x > -4 && x < size + 4)) return taps;
  const auto add = [&](int64_t at, float weight) {
    if (options.padding == Padding::kReflection && (at < 0 || at >= length)) {
      at = static_cast<int64_t>(Reflect(static_cast<float>(at), low, high));
    }
    if (options.padding != Padding::kZeros) at = std::clamp<int64_t>(at, 0, length - 1);
    if (at >= 0 && at < length) taps.Add(at, weight);
  };
  const float floor = std::floor(x);
  const int64_t base = static_cast<int64_t>(floor);
  const float r = x - floor;
  if (options.mode == Mode::kNearest) {
    add(base, 1);
  } else if (options.mode == Mode::kLinear) {
    add(base, 1 - r);
    add(base + 1, r);
  } else {
    constexpr float kA = -0.75f;
    const auto near = [](float d) { return ((kA + 2) * d - (kA + 3)) * d * d + 1; };
    const auto far = [](float d) { return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA; };
    add(base - 1, far(r + 1));
    add(base, near(r));
    add(base + 1, near(1 - r));
    add(base + 2, far(2 - r));
  }
  return taps;
}

struct Tap {
  int64_t offset;
  float weight;
};
using Taps = absl::InlinedVector<Tap, 64>;

// The weighted elements of a plane of shape `spatial` that make the value at `point`, whose coordinates start with the
// innermost axis. The taps of all axes are multiplied out.
template <typename G>
void PointTaps(const G* point, absl::Span<const int64_t> spatial, const SampleOptions& options, Taps& taps) {
  taps.assign(1, {0, 1.0f});
  Taps wider;
  for (size_t axis = 0; axis < spatial.size(); ++axis) {
    const AxisTaps along = TapsAt(static_cast<float>(point[spatial.size() - 1 - axis]), spatial[axis], options);
    wider.clear();
    for (const Tap& tap : taps) {
      for (int k = 0; k < along.count; ++k) {
        wider.push_back({tap.offset * spatial[axis] + along.index[k], tap.weight * along.weight[k]});
      }
    }
    taps.swap(wider);
  }
}

template <typename T, typename G>
void Sample(const Tensor& input, const Tensor& grid, const SampleOptions& options, Tensor& output) {
  using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const absl::Span<const int64_t> spatial = absl::MakeSpan(input.shape()).subspan(2);
  const int64_t plane = NumElements(spatial);
  const int64_t channels = input.dim(1);
  const int64_t points = grid.num_elements() / grid.dim(-1) / grid.dim(0);
  const T* source = input.values<T>().data();
  const G* point = grid.values<G>().data();
  T* target = output.mutable_values<T>().data();
  Taps taps;
  for (int64_t n = 0; n < input.dim(0); ++n, source += channels * plane, target += channels * points) {
    for (int64_t i = 0; i < points; ++i, point += spatial.size()) {
      PointTaps(point, spatial, options, taps);
      for (int64_t c = 0; c < channels; ++c) {
        Real sum = 0;
        for (const Tap& tap : taps) sum += tap.weight * static_cast<Real>(source[c * plane + tap.offset]);
        target[c * points + i] = static_cast<T>(sum);
      }
    }
  }
}

absl::Status GridSample(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const SampleOptions options, OptionsOf(ctx.attributes()));
  if (ctx.output(0).num_elements() == 0) return absl::OkStatus();
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto t) {
    return Dispatch<float, double>(ctx.input(1).type(), [&](auto g) {
      Sample<decltype(t), decltype(g)>(ctx.input(0), ctx.input(1), options, ctx.output(0));
      return absl::OkStatus();
    });
  });
}

absl::Status InferAffineGrid(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto size, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!size.has_value()) return absl::OkStatus();
  const int64_t axes = static_cast<int64_t>(size->size()) - 2;
  if (axes != 2 && axes != 3) return OpError("size must have 4 or 5 elements, got ", size->size());
  if (ctx.has_shape(0) && ctx.shape(0) != Shape{size->front(), axes, axes + 1}) {
    return OpError("theta ", ToString(ctx.shape(0)), " is not [", size->front(), ",", axes, ",", axes + 1, "]");
  }
  Shape shape = {size->front()};
  shape.insert(shape.end(), size->begin() + 2, size->end());
  shape.push_back(axes);
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

// Positions from -1 to 1: of the outer elements' centers, or of the range that the elements fill.
template <typename T>
std::vector<T> Positions(int64_t length, bool align_corners) {
  std::vector<T> positions(length, T{0});
  for (int64_t i = 0; i < length; ++i) {
    if (!align_corners) {
      positions[i] = static_cast<T>((2.0 * static_cast<double>(i) + 1) / static_cast<double>(length) - 1);
    } else if (length > 1) {
      positions[i] = static_cast<T>(2.0 * static_cast<double>(i) / static_cast<double>(length - 1) - 1);
    }
  }
  return positions;
}

template <typename T>
void MakeGrid(const Tensor& theta, bool align_corners, Tensor& grid) {
  const int64_t axes = grid.dim(-1);
  // A plane is a volume of one slice, at position 0, whose matrix has no column for it.
  const bool volume = axes == 3;
  const std::vector<T> zs = volume ? Positions<T>(grid.dim(1), align_corners) : std::vector<T>{T{0}};
  const std::vector<T> ys = Positions<T>(grid.dim(-3), align_corners);
  const std::vector<T> xs = Positions<T>(grid.dim(-2), align_corners);
  T* target = grid.mutable_values<T>().data();
  for (int64_t n = 0; n < grid.dim(0); ++n) {
    const T* matrix = theta.values<T>().data() + n * axes * (axes + 1);
    for (T z : zs) {
      for (T y : ys) {
        for (T x : xs) {
          for (int64_t i = 0; i < axes; ++i) {
            const T* row = matrix + i * (axes + 1);
            *target++ = row[0] * x + row[1] * y + (volume ? row[2] * z : T{0}) + row[axes];
          }
        }
      }
    }
  }
}

absl::Status AffineGrid(KernelContext& ctx) {
  const bool align_corners = ctx.attributes().Int("align_corners", 0) != 0;
  if (ctx.output(0).num_elements() == 0) return absl::OkStatus();
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto t) {
    MakeGrid<decltype(t)>(ctx.input(0), align_corners, ctx.output(0));
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"GridSample", 2, 2, InferGridSample, GridSample},
    {"AffineGrid", 2, 2, InferAffineGrid, AffineGrid},
};

}  // namespace

absl::Span<const OpDef> SamplingOps() { return kOps; }

}  // namespace tandem::engine
