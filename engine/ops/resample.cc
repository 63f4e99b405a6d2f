#include "engine/ops/resample.h"

#include <cmath>

namespace tandem::engine {

namespace {

int64_t Nearest(float x, NearestMode mode) {
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return static_cast<int64_t>(std::ceil(x - 0.5f));
    case NearestMode::kRoundPreferCeil:
      return static_cast<int64_t>(std::floor(x + 0.5f));
    case NearestMode::kFloor:
      return static_cast<int64_t>(std::floor(x));
    case NearestMode::kCeil:
      return static_cast<int64_t>(std::ceil(x));
  }
  return 0;
}

// The interpolation kernel at distance `x` from its center.
double KernelAt(double x, const ResampleOptions& options) {
  x = std::abs(x);
  if (options.interpolation == Interpolation::kLinear) return std::max(1.0 - x, 0.0);
  const double a = options.cubic_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

void Normalize(float* weights, int64_t count) {
  double sum = 0;
  for (int64_t k = 0; k < count; ++k) sum += weights[k];
  if (sum == 0) return;
  for (int64_t k = 0; k < count; ++k) weights[k] = static_cast<float>(weights[k] / sum);
}

// Coordinates stay in a range where converting them to integers is defined; regions of interest may be anything.
float Bounded(float x, int64_t length) {
  if (std::isnan(x)) return 0;
  return std::clamp(x, -4.0f, static_cast<float>(length) + 4.0f);
}

}  // namespace

bool ResampleAxis::IsIdentity(const ResampleOptions& options) const {
  return input == output && scale == 1 &&
         (options.coordinates != CoordinateMode::kCropAndResize || (roi_begin == 0 && roi_end == 1));
}

float SourceCoordinate(float x, const ResampleAxis& axis, CoordinateMode mode) {
  const float last = static_cast<float>(axis.input - 1);
  const float width = static_cast<float>(axis.width);
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return (x + 0.5f) / axis.scale - 0.5f;
    case CoordinateMode::kHalfPixelSymmetric: {
      const float adjustment = static_cast<float>(axis.output) / width;
      const float offset = static_cast<float>(axis.input) / 2 * (1 - adjustment);
      return offset + (x + 0.5f) / axis.scale - 0.5f;
    }
    case CoordinateMode::kPytorchHalfPixel:
      return width == 1 ? -0.5f : (x + 0.5f) / axis.scale - 0.5f;
    case CoordinateMode::kAlignCorners:
      return width == 1 ? 0.0f : x * last / (width - 1);
    case CoordinateMode::kAsymmetric:
      return x / axis.scale;
    case CoordinateMode::kCropAndResize: {
      const float extent = (axis.roi_end - axis.roi_begin) * last;
      return axis.roi_begin * last + (width == 1 ? extent / 2 : x * extent / (width - 1));
    }
  }
  return x;
}

std::vector<int64_t> NearestIndices(const ResampleAxis& axis, const ResampleOptions& options) {
  std::vector<int64_t> indices(axis.output);
  for (int64_t i = 0; i < axis.output; ++i) {
    const float x = Bounded(SourceCoordinate(static_cast<float>(i), axis, options.coordinates), axis.input);
    indices[i] = std::clamp<int64_t>(Nearest(x, options.nearest), 0, axis.input - 1);
  }
  return indices;
}

Taps MakeTaps(const ResampleAxis& axis, const ResampleOptions& options) {
  // Where the kernel is stretched by 1 / shrink, so is the neighbourhood. The scale is at least about output / input,
  // so all neighbourhoods together have no more than a few times as many elements as the input.
  const double shrink = options.antialias ? std::min(axis.scale, 1.0f) : 1.0;
  const bool nearest = options.interpolation == Interpolation::kNearest;
  const double radius = options.interpolation == Interpolation::kCubic ? 2 : 1;
  const int64_t first = nearest ? 0 : static_cast<int64_t>(std::floor(-radius / shrink)) + 1;
  Taps taps;
  taps.count = nearest ? 1 : 2 - 2 * first;
  taps.outside.assign(axis.output, false);
  for (int64_t i = 0; i < axis.output; ++i) {
    const float given = SourceCoordinate(static_cast<float>(i), axis, options.coordinates);
    if (options.coordinates == CoordinateMode::kCropAndResize) {
      taps.outside[i] = !(given >= 0 && given <= static_cast<float>(axis.input - 1));
    }
    const float x = Bounded(given, axis.input);
    const int64_t floor = nearest ? Nearest(x, options.nearest) : static_cast<int64_t>(std::floor(x));
    for (int64_t k = 0; k < taps.count; ++k) {
      const int64_t at = floor + first + k;
      const bool excluded = options.exclude_outside && (at < 0 || at >= axis.input);
      const double weight = nearest ? 1 : KernelAt((static_cast<double>(at) - x) * shrink, options);
      taps.index.push_back(std::clamp<int64_t>(at, 0, axis.input - 1));
      taps.weight.push_back(excluded ? 0.0f : static_cast<float>(weight));
    }
    if (shrink < 1 || options.exclude_outside) Normalize(taps.weight.data() + i * taps.count, taps.count);
  }
  return taps;
}

}  // namespace tandem::engine
