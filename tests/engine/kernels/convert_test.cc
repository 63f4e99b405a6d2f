#include "engine/kernels/convert.h"

#include <limits>

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

TEST(QuantizeTest, EqualsPlainRoundingAtEveryLength) {
  for (const Quantization& q : Quantizations()) {
    const std::vector<float> x = RandomFloats(kLongest, q.scale, 5);
    for (Isa isa : Isas()) {
      for (size_t count = 0; count <= kLongest; ++count) {
        Result<uint8_t> y(count);
        Quantize(isa, q, count, x.data(), y.data());
        const std::vector<uint8_t> result = y.Get();
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(result[i], Rounded(q, x[i] * (1 / q.scale))) << NameOf(isa);
      }
    }
  }
}

TEST(QuantizeTest, RoundsTiesToEvenSaturatesAndSurvivesNan) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {
      1,   3,    5,         -1,         1000, -1000, 3e38f, std::numeric_limits<float>::quiet_NaN(),
      254, -256, kInfinity, -kInfinity, 0,    -0.0f, 253,   -255};
  for (Isa isa : Isas()) {
    std::vector<uint8_t> y(x.size());
    Quantize(isa, {ByteType::kUInt8, 2, 128}, x.size(), x.data(), y.data());
    EXPECT_THAT(y, testing::ElementsAre(128, 130, 130, 128, 255, 0, 255, 0, 255, 0, 255, 0, 128, 128, 254, 0))
        << NameOf(isa);
  }
}

TEST(DequantizeTest, IsExactAtEveryLength) {
  std::vector<uint8_t> x(256);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i);
  for (const Quantization& q : Quantizations()) {
    for (Isa isa : Isas()) {
      for (size_t count = 0; count <= x.size(); ++count) {
        Result<float> y(count);
        Dequantize(isa, q, count, x.data(), y.data());
        const std::vector<float> result = y.Get();
        for (size_t i = 0; i < count; ++i) {
          ASSERT_EQ(result[i], static_cast<float>(Steps(q, x[i])) * q.scale) << NameOf(isa);
        }
      }
    }
  }
}

TEST(RequantizeTest, EqualsPlainRounding) {
  const std::vector<uint8_t> x = RandomBytes(kLongest, 6);
  for (const Quantization& from : Quantizations()) {
    for (const Quantization& to : Quantizations()) {
      for (Isa isa : Isas()) {
        for (size_t count : {size_t{1}, size_t{63}, kLongest}) {
          Result<uint8_t> y(count);
          Requantize(isa, from, to, count, x.data(), y.data());
          const std::vector<uint8_t> result = y.Get();
          for (size_t i = 0; i < count; ++i) {
            const float steps = static_cast<float>(Steps(from, x[i])) * (from.scale / to.scale);
            ASSERT_EQ(result[i], Rounded(to, steps)) << NameOf(isa);
          }
        }
      }
    }
  }
}

TEST(RequantizeTest, BetweenTypesAloneLosesNothing) {
  const Quantization bytes = {ByteType::kUInt8, 0.3f, 131}, signed_bytes = {ByteType::kInt8, 0.3f, 3};
  std::vector<uint8_t> x(256), there(256), back(256);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i);
  for (Isa isa : Isas()) {
    Requantize(isa, bytes, signed_bytes, x.size(), x.data(), there.data());
    Requantize(isa, signed_bytes, bytes, x.size(), there.data(), back.data());
    EXPECT_EQ(static_cast<int8_t>(there[0]), -128);
    EXPECT_EQ(back, x) << NameOf(isa);
  }
}

TEST(QuantizeToChannelsLastTest, PutsEveryChannelInItsPlace) {
  const Quantization q = {ByteType::kInt8, 0.25f, 3};
  for (size_t channels : {1, 2, 3, 4, 15, 16, 17, 40}) {
    for (size_t pixels : {1, 5, 63, 64, 65, 130}) {
      const size_t images = 2, count = images * channels * pixels;
      const std::vector<float> x = RandomFloats(count, q.scale, 7);
      std::vector<uint8_t> expected(count);
      for (size_t i = 0; i < count; ++i) {
        const size_t image = i / (channels * pixels), channel = i / pixels % channels, pixel = i % pixels;
        expected[(image * pixels + pixel) * channels + channel] = Rounded(q, x[i] * (1 / q.scale));
      }
      for (Isa isa : Isas()) {
        Result<uint8_t> y(count);
        QuantizeToChannelsLast(isa, q, images, channels, pixels, x.data(), y.data());
        ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << channels << " channels, " << pixels << " pixels";
      }
    }
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
