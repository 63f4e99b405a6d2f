// Between real numbers and stored bytes, and between stored bytes of different parameters. Any thread.
#ifndef TANDEM_ENGINE_KERNELS_CONVERT_H_
#define TANDEM_ENGINE_KERNELS_CONVERT_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// Steps of y: x * (1 / y_scale), in float. (ONNX divides by the scale: next to a tie that may be one step away.)
void Quantize(Isa isa, const Quantization& quantization, size_t count, const float* x, uint8_t* y);

// y = (x - zero_point) * scale, in float.
void Dequantize(Isa isa, const Quantization& quantization, size_t count, const uint8_t* x, float* y);

// Steps of y: (x - x_zero) * (x_scale / y_scale), in float. `y` may be `x` but not overlap it otherwise.
void Requantize(Isa isa, const Quantization& from, const Quantization& to, size_t count, const uint8_t* x, uint8_t* y);

// Quantize() of images whose channels come first into stored ones whose channels come last:
// x is [images, channels, pixels], y is [images, pixels, channels].
void QuantizeToChannelsLast(Isa isa, const Quantization& quantization, size_t images, size_t channels, size_t pixels,
                            const float* x, uint8_t* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_CONVERT_H_
