#include "engine/kernels/resize.h"

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

void ResizeLinear(Isa isa, const Quantization& from, const Quantization& to, const LinearAxis& height,
                  const LinearAxis& width, size_t images, size_t channels, const uint8_t* x, uint8_t* y) {
  const Decoder decode(from);
  const Encoder encode(to);
  const float factor = from.scale / to.scale;
  const LinearAxis rows = height, columns = width;
  const size_t line = width.input * channels;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    uint8_t* result = y;
    for (size_t row = 0; row < images * rows.output; ++row) {
      const LinearTap v = rows.taps[row % rows.output];
      const uint8_t* image = x + row / rows.output * rows.input * line;
      const uint8_t *upper = image + v.low * line, *lower = image + v.high * line;
      for (size_t column = 0; column < columns.output; ++column, result += channels) {
        const LinearTap h = columns.taps[column];
        const uint8_t *x00 = upper + h.low * channels, *x01 = upper + h.high * channels;
        const uint8_t *x10 = lower + h.low * channels, *x11 = lower + h.high * channels;
        const float left = 1 - h.weight, right = h.weight, top = 1 - v.weight, bottom = v.weight;
        for (size_t c = 0; c < channels; ++c) {
          const float above = decode(x00[c]) * left + decode(x01[c]) * right;
          const float below = decode(x10[c]) * left + decode(x11[c]) * right;
          result[c] = encode((above * top + below * bottom) * factor);
        }
      }
    }
  });
}

}  // namespace tandem::engine::kernels
