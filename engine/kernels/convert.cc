#include "engine/kernels/convert.h"

#include <algorithm>

#include "engine/kernels/vectorized.h"
#ifdef __x86_64__
#include <emmintrin.h>
#endif

namespace tandem::engine::kernels {

namespace {

// One image of three channels: what cameras make, so worth its own loop.
void InterleaveThree(Isa isa, const Encoder& encode, float inverse, size_t pixels, const float* x, uint8_t* y) {
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t p = 0; p < pixels; ++p) {
      y[3 * p] = encode(x[p] * inverse);
      y[3 * p + 1] = encode(x[pixels + p] * inverse);
      y[3 * p + 2] = encode(x[2 * pixels + p] * inverse);
    }
  });
}

constexpr size_t kTileChannels = 16, kTilePixels = 64;

// y[pixel * step + channel] = tile[channel][pixel].
TANDEM_VECTORIZED inline void Transpose(const uint8_t (&tile)[kTileChannels][kTilePixels], size_t channels,
                                        size_t pixels, uint8_t* y, size_t step) {
  size_t p = 0;
#ifdef __x86_64__
  for (; channels == kTileChannels && p + 16 <= pixels; p += 16) {
    __m128i rows[16];
    for (size_t c = 0; c < 16; ++c) rows[c] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&tile[c][p]));
    // Interleaving the first half of the rows with the second four times over transposes them.
    for (int round = 0; round < 4; ++round) {
      __m128i mixed[16];
      for (size_t c = 0; c < 8; ++c) {
        mixed[2 * c] = _mm_unpacklo_epi8(rows[c], rows[c + 8]);
        mixed[2 * c + 1] = _mm_unpackhi_epi8(rows[c], rows[c + 8]);
      }
      for (size_t c = 0; c < 16; ++c) rows[c] = mixed[c];
    }
    for (size_t k = 0; k < 16; ++k) _mm_storeu_si128(reinterpret_cast<__m128i*>(y + (p + k) * step), rows[k]);
  }
#endif
  for (; p < pixels; ++p) {
    for (size_t c = 0; c < channels; ++c) y[p * step + c] = tile[c][p];
  }
}

// One image of any number of channels, in tiles that stay in the first-level cache.
void Interleave(Isa isa, const Encoder& encode, float inverse, size_t channels, size_t pixels, const float* x,
                uint8_t* y) {
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    uint8_t tile[kTileChannels][kTilePixels];
    for (size_t p0 = 0; p0 < pixels; p0 += kTilePixels) {
      const size_t width = std::min(kTilePixels, pixels - p0);
      for (size_t c0 = 0; c0 < channels; c0 += kTileChannels) {
        const size_t depth = std::min(kTileChannels, channels - c0);
        for (size_t c = 0; c < depth; ++c) {
          const float* from = x + (c0 + c) * pixels + p0;
          for (size_t p = 0; p < width; ++p) tile[c][p] = encode(from[p] * inverse);
        }
        Transpose(tile, depth, width, y + p0 * channels + c0, channels);
      }
    }
  });
}

}  // namespace

void Quantize(Isa isa, const Quantization& quantization, size_t count, const float* x, uint8_t* y) {
  const Encoder encode(quantization);
  const float inverse = 1 / quantization.scale;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < count; ++i) y[i] = encode(x[i] * inverse);
  });
}

void Dequantize(Isa isa, const Quantization& quantization, size_t count, const uint8_t* x, float* y) {
  const Decoder decode(quantization);
  const float scale = quantization.scale;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < count; ++i) y[i] = decode(x[i]) * scale;
  });
}

void Requantize(Isa isa, const Quantization& from, const Quantization& to, size_t count, const uint8_t* x, uint8_t* y) {
  const Decoder decode(from);
  const Encoder encode(to);
  const float factor = from.scale / to.scale;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < count; ++i) y[i] = encode(decode(x[i]) * factor);
  });
}

void QuantizeToChannelsLast(Isa isa, const Quantization& quantization, size_t images, size_t channels, size_t pixels,
                            const float* x, uint8_t* y) {
  if (channels == 1) return Quantize(isa, quantization, images * pixels, x, y);
  const Encoder encode(quantization);
  const float inverse = 1 / quantization.scale;
  const size_t image = channels * pixels;
  for (size_t i = 0; i < images; ++i) {
    if (channels == 3)
      InterleaveThree(isa, encode, inverse, pixels, x + i * image, y + i * image);
    else
      Interleave(isa, encode, inverse, channels, pixels, x + i * image, y + i * image);
  }
}

}  // namespace tandem::engine::kernels
