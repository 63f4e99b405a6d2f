#include "engine/kernels/dynamic.h"

#include <algorithm>
#include <limits>

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

using ::testing::ElementsAre;

// ONNX's definition, step by step.
Quantization Expected(const float* x, size_t count) {
  float low = 0, high = 0;
  for (size_t i = 0; i < count; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  const float scale = low == high ? 1 : (high - low) / 255;
  return {ByteType::kUInt8, scale, Rounded({}, -low / scale)};
}

TEST(QuantizeDynamicallyTest, EqualsTheDefinitionAtEveryLength) {
  const std::vector<float> mixed = RandomFloats(kLongest, 0.01f, 41);
  std::vector<float> positive = mixed, negative = mixed, odd = mixed;
  for (float& value : positive) value = std::abs(value);
  for (float& value : negative) value = -std::abs(value);
  for (size_t i = 0; i < odd.size(); ++i) odd[i] = odd[i] / 3 + 0.001f * static_cast<float>(i);
  for (const std::vector<float>& x : {mixed, positive, negative, odd}) {
    for (Isa isa : Isas()) {
      for (size_t count = 0; count <= kLongest; ++count) {
        const Quantization expected = Expected(x.data(), count);
        Result<uint8_t> y(count);
        const Quantization found = QuantizeDynamically(isa, count, x.data(), y.data());
        ASSERT_EQ(found.scale, expected.scale) << NameOf(isa) << ", " << count;
        ASSERT_EQ(found.zero_point, expected.zero_point) << NameOf(isa) << ", " << count;
        const std::vector<uint8_t> bytes = y.Get();
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(bytes[i], Rounded(expected, x[i] / expected.scale)) << NameOf(isa);
      }
    }
  }
}

TEST(QuantizeDynamicallyTest, DividesByTheScaleAndRoundsTiesToEven) {
  // The scale is 1: halves are ties.
  const std::vector<float> x = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 205, -50};
  for (Isa isa : Isas()) {
    std::vector<uint8_t> y(x.size());
    const Quantization found = QuantizeDynamically(isa, x.size(), x.data(), y.data());
    EXPECT_EQ(found.scale, 1);
    EXPECT_EQ(found.zero_point, 50);
    EXPECT_THAT(y, ElementsAre(50, 52, 52, 50, 48, 255, 0)) << NameOf(isa);
  }
}

TEST(QuantizeDynamicallyTest, FindsParametersForZerosAndNaNs) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (Isa isa : Isas()) {
    std::vector<uint8_t> y(3, 9);
    const std::vector<float> zeros = {0, -0.0f, 0};
    Quantization found = QuantizeDynamically(isa, 3, zeros.data(), y.data());
    EXPECT_EQ(found.scale, 1);
    EXPECT_EQ(found.zero_point, 0);
    EXPECT_THAT(y, ElementsAre(0, 0, 0)) << NameOf(isa);
    const std::vector<float> odd = {kNan, 255, -255};
    found = QuantizeDynamically(isa, 3, odd.data(), y.data());
    EXPECT_EQ(found.scale, 2);
    EXPECT_EQ(found.zero_point, 128);
    EXPECT_THAT(y, ElementsAre(0, 255, 0)) << NameOf(isa);
  }
}

TEST(OweZeroPointsTest, EqualsTheSumsTimesTheZeroPointsAtEverySize) {
  constexpr size_t kRows = 3;
  const std::vector<uint8_t> x = RandomBytes(kRows * kLongest, 43);
  std::vector<float> zero_points(kLongest);
  for (size_t i = 0; i < kLongest; ++i) zero_points[i] = static_cast<float>(i) - 60;
  for (const Quantization& q : Quantizations()) {
    for (Isa isa : Isas()) {
      for (size_t size = 1; size <= kLongest; ++size) {
        const size_t depth = size, columns = kLongest + 1 - size;
        Result<float> y(kRows * columns);
        OweZeroPoints(isa, q.type, q.zero_point, kRows, depth, columns, x.data(), zero_points.data(), y.data());
        const std::vector<float> result = y.Get();
        for (size_t row = 0; row < kRows; ++row) {
          int sum = 0;
          for (size_t i = 0; i < depth; ++i) sum += Steps(q, x[row * depth + i]);
          for (size_t i = 0; i < columns; ++i) {
            ASSERT_EQ(result[row * columns + i], -static_cast<float>(sum) * zero_points[i]) << NameOf(isa);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
