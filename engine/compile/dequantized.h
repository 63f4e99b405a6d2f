// Stored constants as the real numbers they stand for.
#ifndef TANDEM_ENGINE_COMPILE_DEQUANTIZED_H_
#define TANDEM_ENGINE_COMPILE_DEQUANTIZED_H_

#include "engine/quantization.h"
#include "engine/tensor.h"

namespace tandem::engine {

// A float32 tensor: what DequantizeLinear makes of `stored`.
Tensor Dequantized(const Tensor& stored, const Quantization& quantization);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_DEQUANTIZED_H_
