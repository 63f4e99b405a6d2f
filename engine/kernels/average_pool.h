// Averages of stored images whose channels come last. Sums are exact integers, so results do not depend on their order.
// Any thread; sources and results do not overlap.
#ifndef TANDEM_ENGINE_KERNELS_AVERAGE_POOL_H_
#define TANDEM_ENGINE_KERNELS_AVERAGE_POOL_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// x is [images, pixels, channels], y is [images, channels]; 1 to 2^23 pixels.
// y = sum of (x - zero_point) * (scale / pixels), in float.
void GlobalAveragePool(Isa isa, const Quantization& quantization, size_t images, size_t pixels, size_t channels,
                       const uint8_t* x, float* y);
// Steps of y: sum of (x - x_zero) * (x_scale / (y_scale * pixels)), in float.
void GlobalAveragePool(Isa isa, const Quantization& from, const Quantization& to, size_t images, size_t pixels,
                       size_t channels, const uint8_t* x, uint8_t* y);

// Windows of AveragePool along one axis. Dilations are 1.
struct PoolAxis {
  size_t input = 1;
  size_t output = 1;
  size_t kernel = 1;
  size_t stride = 1;
  size_t padding = 0;      // in front of the input
  size_t padding_end = 0;  // behind it; matters only where padding counts
};

struct PoolParameters {
  PoolAxis height;
  PoolAxis width;
  bool count_include_pad = false;
};

// x is [images, height, width, channels] of the input, y of the output. Windows have at most 2^23 elements and every
// window at least one inside the input.
// Steps of y: sum of (x - x_zero) over the window's part inside the input * (x_scale / (y_scale * count)), in float;
// `count` is the number of elements of that part or, when padding counts, of the part inside the padded input.
void AveragePool(Isa isa, const Quantization& from, const Quantization& to, const PoolParameters& parameters,
                 size_t images, size_t channels, const uint8_t* x, uint8_t* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_AVERAGE_POOL_H_
