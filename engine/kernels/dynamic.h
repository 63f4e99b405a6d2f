// Quantizing numbers by parameters that are found on the way. Any thread.
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

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_DYNAMIC_H_
