// Arithmetic of images with one number a channel: normalizations that no convolution can take in, the scaling of
// squeeze-and-excite blocks, biases.
//
// x and y are [rows, channels], stored with parameters of their own, or real numbers: rows are the pixels of images
// whose channels come last. Any thread; `y` may be `x` but not overlap it otherwise.
#ifndef TANDEM_ENGINE_KERNELS_CHANNELS_H_
#define TANDEM_ENGINE_KERNELS_CHANNELS_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

struct ChannelParameters {
  Quantization x;
  Quantization y;
  Activation activation = Activation::kNone;
};

// y = activation(x * scale[channel] + shift[channel]), or without shifts when `shift` is null.
// Steps of y: (x - x_zero) * (scale[channel] * (x_scale / y_scale)) + shift[channel] * (1 / y_scale), in float.
void ChannelAffine(Isa isa, const ChannelParameters& parameters, size_t rows, size_t channels, const uint8_t* x,
                   const float* scale, const float* shift, uint8_t* y);

// The same of real numbers: x * (scale[channel] * (1 / y_scale)) + shift[channel] * (1 / y_scale).
void ChannelAffine(Isa isa, const Quantization& y_quantization, Activation activation, size_t rows, size_t channels,
                   const float* x, const float* scale, const float* shift, uint8_t* y);

// Real numbers to real numbers: activation(x * scale[channel] + shift[channel]).
void ChannelAffine(Isa isa, Activation activation, size_t rows, size_t channels, const float* x, const float* scale,
                   const float* shift, float* y);

// y = activation(x * factor[channel]), the factors stored too: ChannelAffine by their real numbers.
void ChannelMultiply(Isa isa, const ChannelParameters& parameters, const Quantization& factors, size_t rows,
                     size_t channels, const uint8_t* x, const uint8_t* factor, uint8_t* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_CHANNELS_H_
