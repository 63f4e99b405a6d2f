// Resampling along one axis at a time, as Resize does it: where each output position lies in the input, and which
// weighted elements around it make its value. Follows the ONNX specification of Resize (version 19).
#ifndef TANDEM_ENGINE_OPS_RESAMPLE_H_
#define TANDEM_ENGINE_OPS_RESAMPLE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/ops/dims.h"

namespace tandem::engine {

enum class CoordinateMode {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kCropAndResize,
};
enum class NearestMode { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class Interpolation { kNearest, kLinear, kCubic };

struct ResampleOptions {
  Interpolation interpolation = Interpolation::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  float cubic_a = -0.75f;         // Keys' coefficient
  bool antialias = false;         // stretch the filter when shrinking
  bool exclude_outside = false;   // elements outside weigh nothing, instead of repeating the edge
  float extrapolation_value = 0;  // of positions outside the input; kCropAndResize only
};

struct ResampleAxis {
  int64_t input = 0;
  int64_t output = 0;
  float scale = 1;      // as given, or output / input
  double width = 0;     // the output's length before it was rounded
  float roi_begin = 0;  // kCropAndResize only, normalized
  float roi_end = 1;

  // Whether resampling changes nothing.
  bool IsIdentity(const ResampleOptions& options) const;
};

// The input position of output position `x` of an axis whose output is not empty.
float SourceCoordinate(float x, const ResampleAxis& axis, CoordinateMode mode);

// For every output position, the nearest input position, within the input.
std::vector<int64_t> NearestIndices(const ResampleAxis& axis, const ResampleOptions& options);

// `count` weighted input positions for each output position, one position after the other.
struct Taps {
  int64_t count = 0;
  std::vector<int64_t> index;
  std::vector<float> weight;
  std::vector<bool> outside;  // output positions that take the extrapolation value
};
Taps MakeTaps(const ResampleAxis& axis, const ResampleOptions& options);

// Resamples the middle axis of `source` [outer, length, inner] to `target` [outer, number of taps, inner].
template <typename T>
void ApplyTaps(const T* source, const AxisView& view, const Taps& taps, T extrapolation, T* target) {
  const int64_t outputs = static_cast<int64_t>(taps.outside.size());
  for (int64_t outer = 0; outer < view.outer; ++outer, source += view.length * view.inner) {
    for (int64_t y = 0; y < outputs; ++y, target += view.inner) {
      if (taps.outside[y]) {
        std::fill_n(target, view.inner, extrapolation);
        continue;
      }
      const int64_t* index = taps.index.data() + y * taps.count;
      const float* weight = taps.weight.data() + y * taps.count;
      if (view.inner == 1) {
        T sum = 0;
        for (int64_t k = 0; k < taps.count; ++k) sum += weight[k] * source[index[k]];
        *target = sum;
        continue;
      }
      std::fill_n(target, view.inner, T{0});
      for (int64_t k = 0; k < taps.count; ++k) {
        const T w = weight[k];
        const T* row = source + index[k] * view.inner;
        for (int64_t i = 0; i < view.inner; ++i) target[i] += w * row[i];
      }
    }
  }
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_RESAMPLE_H_
