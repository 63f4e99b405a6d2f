#include "engine/kernels/channels.h"

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

constexpr size_t kMostChannels = 1100;

std::vector<float> Numbers(uint32_t seed) { return RandomFloats(kMostChannels, 0.01f, seed); }

void ExpectAffine(const ChannelParameters& parameters, size_t rows, size_t channels, bool with_shift) {
  const std::vector<uint8_t> x = RandomBytes(rows * channels, 11);
  const std::vector<float> scale = Numbers(12), shift = Numbers(13);
  const float in_steps = parameters.x.scale / parameters.y.scale, inverse = 1 / parameters.y.scale;
  std::vector<uint8_t> expected(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i % channels;
    const float product = static_cast<float>(Steps(parameters.x, x[i])) * (scale[c] * in_steps);
    expected[i] = Rounded(parameters.y, product + (with_shift ? shift[c] * inverse : 0), parameters.activation);
  }
  for (Isa isa : Isas()) {
    Result<uint8_t> y(x.size());
    ChannelAffine(isa, parameters, rows, channels, x.data(), scale.data(), with_shift ? shift.data() : nullptr,
                  y.data());
    ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << rows << " rows of " << channels;
  }
}

TEST(ChannelAffineTest, EqualsPlainArithmeticWhateverTheTypes) {
  for (const Quantization& x : Quantizations()) {
    for (const Quantization& y : Quantizations()) {
      for (Activation activation : {Activation::kNone, Activation::kRelu})
        ExpectAffine({x, y, activation}, 7, 33, true);
    }
  }
}

TEST(ChannelAffineTest, TakesAnyNumberOfChannelsAndRows) {
  const ChannelParameters parameters = {Quantizations()[1], Quantizations()[3]};
  for (size_t channels = 1; channels <= kLongest; ++channels) {
    for (size_t rows : {1, 2, 5, 40}) ExpectAffine(parameters, rows, channels, channels % 2 == 0);
  }
  for (size_t channels : {255, 256, 257, 511, 512, 513, 1024, 1100}) ExpectAffine(parameters, 3, channels, true);
  ExpectAffine(parameters, 0, 5, true);
}

TEST(ChannelAffineTest, TakesRealNumbers) {
  for (const Quantization& to : Quantizations()) {
    for (size_t channels : {1, 7, 64, 513}) {
      const size_t rows = 11;
      const std::vector<float> x = RandomFloats(rows * channels, 50, 16), scale = Numbers(17), shift = Numbers(18);
      const float inverse = 1 / to.scale;
      std::vector<uint8_t> expected(x.size());
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels;
        expected[i] = Rounded(to, x[i] * (scale[c] * inverse) + shift[c] * inverse, Activation::kRelu);
      }
      for (Isa isa : Isas()) {
        Result<uint8_t> y(x.size());
        ChannelAffine(isa, to, Activation::kRelu, rows, channels, x.data(), scale.data(), shift.data(), y.data());
        ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << rows << " rows of " << channels;
      }
    }
  }
}

TEST(ChannelAffineTest, WritesRealNumbers) {
  for (Activation activation : {Activation::kNone, Activation::kRelu}) {
    for (size_t channels : {1, 7, 64, 513}) {
      const size_t rows = 11;
      const std::vector<float> x = RandomFloats(rows * channels, 50, 16), scale = Numbers(17), shift = Numbers(18);
      std::vector<float> expected(x.size());
      for (size_t i = 0; i < x.size(); ++i) {
        expected[i] = x[i] * scale[i % channels] + shift[i % channels];
        if (activation == Activation::kRelu) expected[i] = std::max(expected[i], 0.0f);
      }
      for (Isa isa : Isas()) {
        Result<float> y(x.size());
        ChannelAffine(isa, activation, rows, channels, x.data(), scale.data(), shift.data(), y.data());
        ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << rows << " rows of " << channels;
      }
    }
  }
}

TEST(ChannelMultiplyTest, EqualsPlainProducts) {
  for (const Quantization& factors : Quantizations()) {
    const ChannelParameters parameters = {Quantizations()[1], Quantizations()[2], Activation::kNone};
    for (size_t channels : {1, 24, 96, 960}) {
      const size_t rows = 9;
      const std::vector<uint8_t> x = RandomBytes(rows * channels, 14), factor = RandomBytes(channels, 15);
      std::vector<uint8_t> expected(x.size());
      for (size_t i = 0; i < x.size(); ++i) {
        const float number = static_cast<float>(Steps(factors, factor[i % channels])) * factors.scale;
        const float in_steps = parameters.x.scale / parameters.y.scale;
        expected[i] = Rounded(parameters.y, static_cast<float>(Steps(parameters.x, x[i])) * (number * in_steps));
      }
      for (Isa isa : Isas()) {
        Result<uint8_t> y(x.size());
        ChannelMultiply(isa, parameters, factors, rows, channels, x.data(), factor.data(), y.data());
        ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << channels << " channels";
      }
    }
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
