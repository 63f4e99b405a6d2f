#include "engine/kernels/rows.h"

#include "engine/kernels/range.h"
#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

namespace {

// Below, the inverse of the scale would not be a number any more.
constexpr float kSmallestWidth = 1e-35f;

}  // namespace

void QuantizeRows(Isa isa, size_t rows, size_t columns, size_t stride, const float* x, uint8_t* y,
                  const RowParameters& found) {
  const Encoder encode_zero({ByteType::kUInt8, 1, 0});
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t row = 0; row < rows; ++row) {
      const float* from = x + row * stride;
      uint8_t* to = y + row * columns;
      const Range range = RangeOf(columns, from);
      const float width = range.high - range.low;
      const float scale = width > kSmallestWidth ? width / 255 : 1, inverse = 1 / scale;
      const int32_t zero_point = encode_zero(-range.low / scale);
      const Encoder encode({ByteType::kUInt8, scale, zero_point});
      for (size_t i = 0; i < columns; ++i) to[i] = encode(from[i] * inverse);
      uint32_t sum = 0;
      for (size_t i = 0; i < columns; ++i) sum += to[i];
      found.scale[row] = scale;
      found.zero_point[row] = zero_point;
      found.sum[row] = static_cast<int32_t>(sum);
    }
  });
}

}  // namespace tandem::engine::kernels
