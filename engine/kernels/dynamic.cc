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

void OweZeroPoints(Isa isa, ByteType type, int32_t zero_point, size_t rows, size_t depth, size_t columns,
                   const uint8_t* x, const float* zero_points, float* y) {
  const Decoder decoder({type, 1, zero_point});
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t row = 0; row < rows; ++row) {
      const uint8_t* from = x + row * depth;
      float* to = y + row * columns;
      uint32_t sum = 0;
      for (size_t i = 0; i < depth; ++i) sum += decoder.Unsigned(from[i]);
      const auto steps = static_cast<int64_t>(sum) - static_cast<int64_t>(depth) * decoder.UnsignedZero();
      const auto owed = static_cast<float>(-steps);
      for (size_t i = 0; i < columns; ++i) to[i] = owed * zero_points[i];
    }
  });
}

}  // namespace tandem::engine::kernels
