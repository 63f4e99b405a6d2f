// For products whose left operand is quantized by parameters that are found on the way. Any thread.
#ifndef TANDEM_ENGINE_KERNELS_DYNAMIC_H_
#define TANDEM_ENGINE_KERNELS_DYNAMIC_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// ONNX's DynamicQuantizeLinear, to the bit: the scale is (max - min) / 255 over all of `x` and zero, or 1 where that is
// nothing; the zero point is the rounded -min / scale; steps of y are x / scale, in float. NaNs are left out of the
// range and are stored as 0. Returns what y, of uint8, is quantized by.
Quantization QuantizeDynamically(Isa isa, size_t count, const float* x, uint8_t* y);

// What a product of x, which is [rows, depth] and around `zero_point`, by stored bytes owes to the zero points of
// those, one for each of `columns`: y[row, column] = -zero_points[column] * sum of (x[row, ...] - zero_point), in
// float. At most 2^23 deep.
void OweZeroPoints(Isa isa, ByteType type, int32_t zero_point, size_t rows, size_t depth, size_t columns,
                   const uint8_t* x, const float* zero_points, float* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_DYNAMIC_H_
