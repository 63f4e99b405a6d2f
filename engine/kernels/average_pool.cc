#include "engine/kernels/average_pool.h"

#include <algorithm>

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

namespace {

constexpr size_t kBlock = 512;  // channels at a time: their sums stay in the first-level cache

// Sums over pixels of one block of channels. Pixels are added in 16 bits for as long as that cannot overflow.
class BlockSums {
 public:
  TANDEM_VECTORIZED BlockSums(const Decoder& decode, size_t channels) : decode_(decode), channels_(channels) {
    for (size_t c = 0; c < channels_; ++c) wide_[c] = narrow_[c] = 0;
  }

  // Adds `count` pixels, `step` bytes apart.
  TANDEM_VECTORIZED void AddPixels(const uint8_t* x, size_t count, size_t step) {
    while (count > 0) {
      if (in_narrow_ == kMostInNarrow) Widen();
      const size_t run = count < kMostInNarrow - in_narrow_ ? count : kMostInNarrow - in_narrow_;
      size_t p = 0;
      for (; p + 4 <= run; p += 4) AddFour(x + p * step, step);
      for (; p < run; ++p) {
        const uint8_t* pixel = x + p * step;
        for (size_t c = 0; c < channels_; ++c) narrow_[c] += decode_.Unsigned(pixel[c]);
      }
      x += run * step;
      in_narrow_ += run;
      pixels_ += run;
      count -= run;
    }
  }

  // Calls `f(channel, sum of steps above the zero point)`.
  template <typename F>
  TANDEM_VECTORIZED void ForEachSum(F f) {
    Widen();
    const int32_t zeros = static_cast<int32_t>(pixels_) * decode_.UnsignedZero();
    for (size_t c = 0; c < channels_; ++c) f(c, static_cast<float>(wide_[c] - zeros));
  }

 private:
  static constexpr size_t kMostInNarrow = 256;

  TANDEM_VECTORIZED void AddFour(const uint8_t* x, size_t step) {
    const uint8_t *x1 = x + step, *x2 = x1 + step, *x3 = x2 + step;
    for (size_t c = 0; c < channels_; ++c) {
      narrow_[c] += static_cast<uint16_t>((decode_.Unsigned(x[c]) + decode_.Unsigned(x1[c])) +
                                          (decode_.Unsigned(x2[c]) + decode_.Unsigned(x3[c])));
    }
  }

  TANDEM_VECTORIZED void Widen() {
    for (size_t c = 0; c < channels_; ++c) wide_[c] += narrow_[c];
    for (size_t c = 0; c < channels_; ++c) narrow_[c] = 0;
    in_narrow_ = 0;
  }

  const Decoder decode_;
  const size_t channels_;
  size_t pixels_ = 0;
  size_t in_narrow_ = 0;
  int32_t wide_[kBlock];
  uint16_t narrow_[kBlock];
};

// y[image, channel] = finish(sum of steps).
template <typename Y, typename Finish>
void PoolGlobally(Isa isa, const Decoder& decode, size_t images, size_t pixels, size_t channels, const uint8_t* x, Y* y,
                  const Finish& finish) {
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < images; ++i) {
      for (size_t c0 = 0; c0 < channels; c0 += kBlock) {
        BlockSums sums(decode, std::min(kBlock, channels - c0));
        sums.AddPixels(x + i * pixels * channels + c0, pixels, channels);
        Y* to = y + i * channels + c0;
        sums.ForEachSum([=](size_t c, float sum) TANDEM_VECTORIZED { to[c] = finish(sum); });
      }
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
        for (size_t c0 = 0; c0 < channels; c0 += kBlock) {
          BlockSums sums(decode, std::min(kBlock, channels - c0));
          for (size_t line = lines.begin; line < lines.end; ++line) {
            sums.AddPixels(image + (line * width.input + pixels.begin) * channels + c0, pixels.end - pixels.begin,
                           channels);
          }
          uint8_t* result = y + (row * width.output + column) * channels + c0;
          sums.ForEachSum([=](size_t c, float sum) TANDEM_VECTORIZED { result[c] = encode(sum * factor); });
        }
      }
    }
  });
}

}  // namespace tandem::engine::kernels
