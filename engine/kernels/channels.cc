#include "engine/kernels/channels.h"

#include <algorithm>

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

namespace {

// Numbers whose factors are held ready.
constexpr size_t kBlock = 512;

// Reads real numbers as Decoder reads stored ones, or writes them.
struct AsIs {
  TANDEM_VECTORIZED float operator()(float x) const { return x; }
};

// Writes real numbers as Encoder writes stored ones.
struct Rectified {
  TANDEM_VECTORIZED float operator()(float x) const { return x < 0 ? 0 : x; }
};

// What is done to a number before its channel's and after.
template <typename Decode, typename Encode = Encoder>
struct Codec {
  Decode decode;
  Encode encode;
};

template <typename C, typename X, typename Y>
TANDEM_VECTORIZED inline void ApplyRun(const C codec, size_t count, const float* factors, const float* offsets,
                                       const X* x, Y* y) {
  for (size_t i = 0; i < count; ++i) y[i] = codec.encode(codec.decode(x[i]) * factors[i] + offsets[i]);
}

// `factor(channel)` and `offset(channel)` are in steps of y.
template <typename C, typename X, typename Y, typename Factor, typename Offset>
void Apply(Isa isa, const C codec, size_t rows, size_t channels, const X* x, Y* y, const Factor& factor,
           const Offset& offset) {
  if (rows == 0 || channels == 0) return;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    float factors[kBlock], offsets[kBlock];
    if (channels <= kBlock) {  // several rows are one long run, whose factors repeat
      const size_t total = rows * channels, run = std::min(rows, kBlock / channels) * channels;
      for (size_t i = 0; i < run; ++i) {
        factors[i] = factor(i % channels);
        offsets[i] = offset(i % channels);
      }
      for (size_t at = 0; at < total; at += run) {
        ApplyRun(codec, std::min(run, total - at), factors, offsets, x + at, y + at);
      }
      return;
    }
    for (size_t first = 0; first < channels; first += kBlock) {
      const size_t count = std::min(kBlock, channels - first);
      for (size_t i = 0; i < count; ++i) {
        factors[i] = factor(first + i);
        offsets[i] = offset(first + i);
      }
      for (size_t at = first; at < rows * channels; at += channels) {
        ApplyRun(codec, count, factors, offsets, x + at, y + at);
      }
    }
  });
}

// `in_steps`: what one step of x is in steps of y.
template <typename C, typename X, typename Y>
void Affine(Isa isa, const C codec, float in_steps, float inverse, size_t rows, size_t channels, const X* x,
            const float* scale, const float* shift, Y* y) {
  const auto factor = [=](size_t c) TANDEM_VECTORIZED { return scale[c] * in_steps; };
  if (shift == nullptr) {
    return Apply(isa, codec, rows, channels, x, y, factor, [](size_t) TANDEM_VECTORIZED { return 0.0f; });
  }
  Apply(isa, codec, rows, channels, x, y, factor, [=](size_t c) TANDEM_VECTORIZED { return shift[c] * inverse; });
}

Codec<Decoder> CodecOf(const ChannelParameters& parameters) {
  return {Decoder(parameters.x), Encoder(parameters.y, parameters.activation)};
}

}  // namespace

void ChannelAffine(Isa isa, const ChannelParameters& parameters, size_t rows, size_t channels, const uint8_t* x,
                   const float* scale, const float* shift, uint8_t* y) {
  Affine(isa, CodecOf(parameters), parameters.x.scale / parameters.y.scale, 1 / parameters.y.scale, rows, channels, x,
         scale, shift, y);
}

void ChannelAffine(Isa isa, const Quantization& y_quantization, Activation activation, size_t rows, size_t channels,
                   const float* x, const float* scale, const float* shift, uint8_t* y) {
  const float inverse = 1 / y_quantization.scale;
  Affine(isa, Codec<AsIs>{{}, Encoder(y_quantization, activation)}, inverse, inverse, rows, channels, x, scale, shift,
         y);
}

void ChannelAffine(Isa isa, Activation activation, size_t rows, size_t channels, const float* x, const float* scale,
                   const float* shift, float* y) {
  if (activation == Activation::kRelu) {
    Affine(isa, Codec<AsIs, Rectified>{}, 1, 1, rows, channels, x, scale, shift, y);
  } else {
    Affine(isa, Codec<AsIs, AsIs>{}, 1, 1, rows, channels, x, scale, shift, y);
  }
}

void ChannelMultiply(Isa isa, const ChannelParameters& parameters, const Quantization& factors, size_t rows,
                     size_t channels, const uint8_t* x, const uint8_t* factor, uint8_t* y) {
  const Decoder decode(factors);
  const float scale = factors.scale, in_steps = parameters.x.scale / parameters.y.scale;
  Apply(
      isa, CodecOf(parameters), rows, channels, x, y,
      [=](size_t c) TANDEM_VECTORIZED { return decode(factor[c]) * scale * in_steps; },
      [](size_t) TANDEM_VECTORIZED { return 0.0f; });
}

}  // namespace tandem::engine::kernels
