// Sums and products of stored bytes, element by element.
//
//   y = activation(a + b), all three stored with parameters of their own
//
// An operand that is one number for all elements makes the operation a function of one byte: see table.h. One number a
// channel: see channels.h. Any thread; `y` may be `a` or `b` but not overlap them otherwise.
#ifndef TANDEM_ENGINE_KERNELS_BINARY_H_
#define TANDEM_ENGINE_KERNELS_BINARY_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

struct BinaryParameters {
  Quantization a;
  Quantization b;
  Quantization y;
  Activation activation = Activation::kNone;
};

// Steps of y: (a - a_zero) * (a_scale / y_scale) + (b - b_zero) * (b_scale / y_scale), in float.
void Add(Isa isa, const BinaryParameters& parameters, size_t count, const uint8_t* a, const uint8_t* b, uint8_t* y);

// Steps of y: ((a - a_zero) * (b - b_zero)) * (a_scale * b_scale / y_scale), in float.
void Multiply(Isa isa, const BinaryParameters& parameters, size_t count, const uint8_t* a, const uint8_t* b,
              uint8_t* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_BINARY_H_
