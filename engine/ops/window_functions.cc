// HannWindow, HammingWindow, BlackmanWindow and MelWeightMatrix: tables made from a few scalars.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// Tables longer than this are refused on each axis.
constexpr int64_t kMaxLength = int64_t{1} << 26;

// The attribute output_datatype. The 16-bit floats are computed as float32 here.
absl::StatusOr<DataType> OutputType(const Attributes& attributes) {
  TANDEM_ASSIGN_OR_RETURN(const DataType type, TypeOfOnnxCode(attributes.Int("output_datatype", 1)));
  if (type == DataType::kFloat16 || type == DataType::kBFloat16) return DataType::kFloat32;
  if (type == DataType::kBool) return OpError("output_datatype is bool, expected a number type");
  return type;
}

template <typename F>
absl::Status DispatchNumber(DataType type, F&& f) {
  return Dispatch<float, double, uint8_t, int8_t, uint16_t, int16_t, int32_t, int64_t, uint32_t, uint64_t>(
      type, std::forward<F>(f));
}

absl::StatusOr<int64_t> LengthOf(const Tensor& tensor, absl::string_view name) {
  TANDEM_ASSIGN_OR_RETURN(const auto values, IntegersOf(tensor));
  if (values.size() != 1) return OpError(name, " has ", values.size(), " elements, expected one");
  if (values[0] < 0 || values[0] > kMaxLength)
    return OpError(name, " is ", values[0], ", outside [0,", kMaxLength, "]");
  return values[0];
}

// Fills the output with `f(angle)`, the angle running once round the circle over the window.
template <typename F>
absl::Status FillWindow(KernelContext& ctx, F&& f) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t size, LengthOf(ctx.input(0), "size"));
  const bool periodic = ctx.attributes().Int("periodic", 1) != 0;
  const double step = 2 * std::numbers::pi / static_cast<double>(std::max<int64_t>(1, periodic ? size : size - 1));
  Tensor& output = ctx.output(0);
  return DispatchNumber(output.type(), [&](auto t) {
    using T = decltype(t);
    const auto values = output.template mutable_values<T>();
    // The windows are within [0,1] but for rounding, which must not leave the unsigned types' range.
    for (int64_t i = 0; i < size; ++i) {
      values[i] = static_cast<T>(std::clamp(f(step * static_cast<double>(i)), 0.0, 1.0));
    }
    return absl::OkStatus();
  });
}

struct MelShape {
  int64_t bins = 0;
  int64_t dft_length = 0;
  Shape output;
};

absl::StatusOr<MelShape> ShapeOfMel(const Tensor& bins, const Tensor& dft_length) {
  MelShape shape;
  TANDEM_ASSIGN_OR_RETURN(shape.bins, LengthOf(bins, "num_mel_bins"));
  TANDEM_ASSIGN_OR_RETURN(shape.dft_length, LengthOf(dft_length, "dft_length"));
  shape.output = {shape.dft_length / 2 + 1, shape.bins};
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
  return shape;
}

absl::StatusOr<double> NumberOf(const Tensor& tensor, absl::string_view name) {
  if (tensor.num_elements() != 1) return OpError(name, " has ", tensor.num_elements(), " elements, expected one");
  double value = 0;
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double, int32_t, int64_t>(tensor.type(), [&](auto t) {
    value = static_cast<double>(tensor.values<decltype(t)>()[0]);
    return absl::OkStatus();
  })));
  if (!std::isfinite(value)) return OpError(name, " is not finite");
  return value;
}

double MelOfHertz(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double HertzOfMel(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// The spectrogram bins at which the triangles begin, peak and end: triangle i has edges[i], [i + 1] and [i + 2].
absl::StatusOr<std::vector<int64_t>> MelEdges(const KernelContext& ctx, const MelShape& shape) {
  TANDEM_ASSIGN_OR_RETURN(const double rate, NumberOf(ctx.input(2), "sample_rate"));
  TANDEM_ASSIGN_OR_RETURN(const double low, NumberOf(ctx.input(3), "lower_edge_hertz"));
  TANDEM_ASSIGN_OR_RETURN(const double high, NumberOf(ctx.input(4), "upper_edge_hertz"));
  if (!(rate > 0) || low < 0 || high < low) {
    return OpError("expected a sample rate above 0 and edges 0 <= lower <= upper, got ", rate, ", ", low, ", ", high);
  }
  const double step = (MelOfHertz(high) - MelOfHertz(low)) / static_cast<double>(shape.bins + 2);
  std::vector<int64_t> edges;
  for (int64_t i = 0; i < shape.bins + 2; ++i) {
    const double hertz = HertzOfMel(MelOfHertz(low) + step * static_cast<double>(i));
    const double edge = std::floor(static_cast<double>(shape.dft_length + 1) * hertz / rate);
    if (edge > static_cast<double>(shape.dft_length / 2 + 1)) {
      return OpError("an edge of ", hertz, " Hz is beyond half of the sample rate ", rate);
    }
    edges.push_back(static_cast<int64_t>(edge));
  }
  return edges;
}

}  // namespace

absl::Status InferWindow(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const DataType type, OutputType(ctx.attributes()));
  std::optional<Shape> output;
  if (ctx.value(0) != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(const int64_t size, LengthOf(*ctx.value(0), "size"));
    output = Shape{size};
  }
  ctx.SetOutput(0, type, std::move(output));
  return absl::OkStatus();
}

absl::Status HannWindow(KernelContext& ctx) {
  return FillWindow(ctx, [](double angle) { return std::pow(std::sin(angle / 2), 2); });
}

absl::Status HammingWindow(KernelContext& ctx) {
  constexpr double kAlpha = 25.0 / 46.0;
  return FillWindow(ctx, [](double angle) { return kAlpha - (1 - kAlpha) * std::cos(angle); });
}

absl::Status BlackmanWindow(KernelContext& ctx) {
  return FillWindow(ctx, [](double angle) { return 0.42 - 0.5 * std::cos(angle) + 0.08 * std::cos(2 * angle); });
}

absl::Status InferMelWeightMatrix(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const DataType type, OutputType(ctx.attributes()));
  std::optional<Shape> output;
  if (ctx.value(0) != nullptr && ctx.value(1) != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(MelShape shape, ShapeOfMel(*ctx.value(0), *ctx.value(1)));
    output = std::move(shape.output);
  }
  ctx.SetOutput(0, type, std::move(output));
  return absl::OkStatus();
}

absl::Status MelWeightMatrix(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const MelShape shape, ShapeOfMel(ctx.input(0), ctx.input(1)));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> edges, MelEdges(ctx, shape));
  return DispatchNumber(ctx.output(0).type(), [&](auto t) {
    using T = decltype(t);
    const auto weights = ctx.output(0).template mutable_values<T>();
    std::fill(weights.begin(), weights.end(), T{0});
    for (int64_t i = 0; i < shape.bins; ++i) {
      const int64_t low = edges[i];
      const int64_t center = edges[i + 1];
      const int64_t high = edges[i + 2];
      const auto set = [&](int64_t bin, double value) {
        if (bin < shape.output[0]) weights[bin * shape.bins + i] = static_cast<T>(value);
      };
      if (low == center) set(center, 1);
      for (int64_t j = low; j <= center && low < center; ++j) {
        set(j, static_cast<double>(j - low) / static_cast<double>(center - low));
      }
      for (int64_t j = center; j < high; ++j) {
        set(j, static_cast<double>(high - j) / static_cast<double>(high - center));
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace tandem::engine
