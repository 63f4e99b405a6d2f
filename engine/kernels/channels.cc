#include "engine/kernels/channels.h"

#include <algorithm>

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

namespace {

// Numbers whose factors are held ready.
constexpr size_t kBlock = 512;

struct Codec {
  Decoder decode;
  Encoder encode;
};

TANDEM_VECTORIZED inline void ApplyRun(const Codec codec, size_t count, const float* factors, const float* offsets,
                                       const uint8_t* x, uint8_t* y) {
  for (size_t i = 0; i < count; ++i) y[i] = codec.encode(codec.decode(x[i]) * factors[i] + offsets[i]);
}

// `factor(channel)` and `offset(channel)` are in steps of y.
template <typename Factor, typename Offset>
void Apply(Isa isa, const ChannelParameters& parameters, size_t rows, size_t channels, const uint8_t* x, uint8_t* y,
           const Factor& factor, const Offset& offset) {
  if (rows == 0 || channels == 0) return;
  const Codec codec = {Decoder(parameters.x), Encoder(parameters.y, parameters.activation)};
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

}  // namespace

void ChannelAffine(Isa isa, const ChannelParameters& parameters, size_t rows, size_t channels, const uint8_t* x,
                   const float* scale, const float* shift, uint8_t* y) {
  const float in_steps = parameters.x.scale / parameters.y.scale, inverse = 1 / parameters.y.scale;
  const auto factor = [=](size_t c) TANDEM_VECTORIZED { return scale[c] * in_steps; };
  if (shift == nullptr) {
    return Apply(isa, parameters, rows, channels, x, y, factor, [](size_t) TANDEM_VECTORIZED { return 0.0f; });
  }
  Apply(isa, parameters, rows, channels, x, y, factor, [=](size_t c) TANDEM_VECTORIZED { return shift[c] * inverse; });
}

void ChannelMultiply(Isa isa, const ChannelParameters& parameters, const Quantization& factors, size_t rows,
                     size_t channels, const uint8_t* x, const uint8_t* factor, uint8_t* y) {
  const Decoder decode(factors);
  const float scale = factors.scale, in_steps = parameters.x.scale / parameters.y.scale;
  Apply(
      isa, parameters, rows, channels, x, y,
      [=](size_t c) TANDEM_VECTORIZED { return decode(factor[c]) * scale * in_steps; },
      [](size_t) TANDEM_VECTORIZED { return 0.0f; });
}

}  // namespace tandem::engine::kernels
