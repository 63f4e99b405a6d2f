#include "engine/kernels/average_pool.h"

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

namespace {

// What an average is taken over: `lines` of `pixels` each.
struct Region {
  size_t lines;
  size_t pixels;
  size_t line_step;  // bytes from a line to the next
  size_t step;       // bytes from a pixel to the next
};

// Sums of unsigned bytes of kWidth channels: fixed, so that they stay in registers. Pixels are added in 16 bits for as
// long as that cannot overflow.
template <size_t kWidth>
TANDEM_VECTORIZED inline void SumRegion(const Decoder decode, const Region& region, const uint8_t* x, int32_t* sums) {
  constexpr size_t kMostInNarrow = 257;
  uint16_t narrow[kWidth];
  for (size_t c = 0; c < kWidth; ++c) sums[c] = narrow[c] = 0;
  size_t in_narrow = 0;
  for (size_t line = 0; line < region.lines; ++line) {
    const uint8_t* pixel = x + line * region.line_step;
    for (size_t left = region.pixels; left > 0;) {
      if (in_narrow == kMostInNarrow) {
        for (size_t c = 0; c < kWidth; ++c) sums[c] += narrow[c];
        for (size_t c = 0; c < kWidth; ++c) narrow[c] = 0;
        in_narrow = 0;
      }
      const size_t run = left < kMostInNarrow - in_narrow ? left : kMostInNarrow - in_narrow;
      for (size_t p = 0; p < run; ++p, pixel += region.step) {
        for (size_t c = 0; c < kWidth; ++c) narrow[c] += decode.Unsigned(pixel[c]);
      }
      in_narrow += run;
      left -= run;
    }
  }
  for (size_t c = 0; c < kWidth; ++c) sums[c] += narrow[c];
}

// y[channel] = finish(sum of steps above the zero point).
template <size_t kWidth, typename Y, typename Finish>
TANDEM_VECTORIZED inline void AverageBlock(const Decoder decode, const Region& region, const uint8_t* x, Y* y,
                                           const Finish& finish) {
  int32_t sums[kWidth];
  SumRegion<kWidth>(decode, region, x, sums);
  const int32_t zeros = static_cast<int32_t>(region.lines * region.pixels) * decode.UnsignedZero();
  for (size_t c = 0; c < kWidth; ++c) y[c] = finish(static_cast<float>(sums[c] - zeros));
}

template <typename Y, typename Finish>
TANDEM_VECTORIZED inline void AverageRegion(const Decoder decode, const Region region, size_t channels,
                                            const uint8_t* x, Y* y, const Finish finish) {
  size_t c = 0;
  for (; c + 64 <= channels; c += 64) AverageBlock<64>(decode, region, x + c, y + c, finish);
  for (; c + 16 <= channels; c += 16) AverageBlock<16>(decode, region, x + c, y + c, finish);
  if (c < channels && channels >= 16) {  // the last sixteen, some of them again
    c = channels - 16;
    return AverageBlock<16>(decode, region, x + c, y + c, finish);
  }
  for (; c < channels; ++c) AverageBlock<1>(decode, region, x + c, y + c, finish);
}

// y[image, channel] = finish(sum of steps).
template <typename Y, typename Finish>
void PoolGlobally(Isa isa, const Decoder& decode, size_t images, size_t pixels, size_t channels, const uint8_t* x, Y* y,
                  const Finish& finish) {
  const Region region = {1, pixels, 0, channels};
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < images; ++i) {
      AverageRegion(decode, region, channels, x + i * pixels * channels, y + i * channels, finish);
    }
  });
}

// The part of a window inside the input, and how many positions count.
struct Span {
  size_t begin;
  size_t end;
  size_t count;
};

TANDEM_VECTORIZED inline Span SpanOf(const PoolAxis& axis, size_t position, bool count_padding) {
  // Positions in the padded input.
  const size_t first = position * axis.stride, last = first + axis.kernel;
  const size_t input_end = axis.padding + axis.input, padded_end = input_end + axis.padding_end;
  const size_t begin = first > axis.padding ? first : axis.padding;
  const size_t end = last < input_end ? last : input_end;
  const size_t counted = (last < padded_end ? last : padded_end) - first;
  return {begin - axis.padding, end - axis.padding, count_padding ? counted : end - begin};
}

}  // namespace

void GlobalAveragePool(Isa isa, const Quantization& quantization, size_t images, size_t pixels, size_t channels,
                       const uint8_t* x, float* y) {
  const float factor = quantization.scale / static_cast<float>(pixels);
  PoolGlobally(isa, Decoder(quantization), images, pixels, channels, x, y,
               [=](float sum) TANDEM_VECTORIZED { return sum * factor; });
}

void GlobalAveragePool(Isa isa, const Quantization& from, const Quantization& to, size_t images, size_t pixels,
                       size_t channels, const uint8_t* x, uint8_t* y) {
  const Encoder encode(to);
  const float factor = from.scale / (to.scale * static_cast<float>(pixels));
  PoolGlobally(isa, Decoder(from), images, pixels, channels, x, y,
               [=](float sum) TANDEM_VECTORIZED { return encode(sum * factor); });
}

void AveragePool(Isa isa, const Quantization& from, const Quantization& to, const PoolParameters& parameters,
                 size_t images, size_t channels, const uint8_t* x, uint8_t* y) {
  const PoolAxis height = parameters.height, width = parameters.width;
  const bool count_padding = parameters.count_include_pad;
  const Decoder decode(from);
  const Encoder encode(to);
  const float from_scale = from.scale, to_scale = to.scale;
  const size_t rows = images * height.output;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t row = 0; row < rows; ++row) {
      const Span lines = SpanOf(height, row % height.output, count_padding);
      const uint8_t* image = x + row / height.output * height.input * width.input * channels;
      for (size_t column = 0; column < width.output; ++column) {
        const Span pixels = SpanOf(width, column, count_padding);
        const float factor = from_scale / (to_scale * static_cast<float>(lines.count * pixels.count));
        const Region region = {lines.end - lines.begin, pixels.end - pixels.begin, width.input * channels, channels};
        AverageRegion(decode, region, channels, image + (lines.begin * width.input + pixels.begin) * channels,
                      y + (row * width.output + column) * channels,
                      [=](float sum) TANDEM_VECTORIZED { return encode(sum * factor); });
      }
    }
  });
}

}  // namespace tandem::engine::kernels
