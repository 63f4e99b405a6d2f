#include "engine/kernels/dynamic.h"

#include "engine/kernels/range.h"
#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

Quantization QuantizeDynamically(Isa isa, size_t count, const float* x, uint8_t* y) {
  const Encoder encode_zero({ByteType::kUInt8, 1, 0});
  Quantization found;
  ForIsa(isa, [=, &found]() TANDEM_VECTORIZED {
    const Range range = RangeOf(count, x);
    const float scale = range.high == range.low ? 1 : (range.high - range.low) / 255;
    found = {ByteType::kUInt8, scale, encode_zero(-range.low / scale)};
    const Encoder encode(found);
    for (size_t i = 0; i < count; ++i) y[i] = encode(x[i] / scale);
  });
  return found;
}

}  // namespace tandem::engine::kernels
