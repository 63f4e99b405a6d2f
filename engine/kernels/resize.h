// Linear resizing of stored images whose channels come last.
//
// Any scale and any convention of coordinates: the caller says, for each position of an axis of the result, between
// which two positions of the source it lies. Any thread; source and result do not overlap.
#ifndef TANDEM_ENGINE_KERNELS_RESIZE_H_
#define TANDEM_ENGINE_KERNELS_RESIZE_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// (1 - weight) * source[low] + weight * source[high].
struct LinearTap {
  size_t low = 0;
  size_t high = 0;
  float weight = 0;
};

// One axis: `taps` has an element for each position of the result.
struct LinearAxis {
  size_t input = 1;
  size_t output = 1;
  const LinearTap* taps = nullptr;
};

// x is [images, height, width, channels] of the inputs, y of the outputs.
// Steps of y, in float, x in steps above its zero point:
//   ((x00 * (1 - wx) + x01 * wx) * (1 - wy) + (x10 * (1 - wx) + x11 * wx) * wy) * (x_scale / y_scale)
void ResizeLinear(Isa isa, const Quantization& from, const Quantization& to, const LinearAxis& height,
                  const LinearAxis& width, size_t images, size_t channels, const uint8_t* x, uint8_t* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_RESIZE_H_
