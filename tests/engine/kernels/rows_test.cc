#include "engine/kernels/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

struct Found {
  std::vector<uint8_t> bytes;
  std::vector<float> scale;
  std::vector<int32_t> zero_point;
  std::vector<int32_t> sum;
};

Found Quantized(Isa isa, size_t rows, size_t columns, size_t stride, const std::vector<float>& x) {
  Result<uint8_t> y(rows * columns);
  Found found = {{}, std::vector<float>(rows), std::vector<int32_t>(rows), std::vector<int32_t>(rows)};
  QuantizeRows(isa, rows, columns, stride, x.data(), y.data(),
               {found.scale.data(), found.zero_point.data(), found.sum.data()});
  found.bytes = y.Get();
  return found;
}

TEST(QuantizeRowsTest, FitsEachRowWithZeroInItsRange) {
  constexpr size_t kRows = 3, kStride = kLongest + 5;
  std::vector<float> x = RandomFloats(kRows * kStride, 0.01f, 31);
  for (size_t i = kStride; i < 2 * kStride; ++i) x[i] = std::abs(x[i]);
  for (Isa isa : Isas()) {
    for (size_t columns = 1; columns <= kLongest; ++columns) {
      const Found found = Quantized(isa, kRows, columns, kStride, x);
      for (size_t row = 0; row < kRows; ++row) {
        const float* from = x.data() + row * kStride;
        const float low = std::min(0.0f, *std::min_element(from, from + columns));
        const float high = std::max(0.0f, *std::max_element(from, from + columns));
        const float scale = low == high ? 1 : (high - low) / 255;
        ASSERT_EQ(found.scale[row], scale) << NameOf(isa) << ", " << columns << " columns";
        const Quantization expected = {ByteType::kUInt8, scale, Rounded({}, -low / scale)};
        ASSERT_EQ(found.zero_point[row], expected.zero_point);
        int sum = 0;
        for (size_t i = 0; i < columns; ++i) {
          ASSERT_EQ(found.bytes[row * columns + i], Rounded(expected, from[i] * (1 / scale))) << NameOf(isa);
          sum += found.bytes[row * columns + i];
        }
        ASSERT_EQ(found.sum[row], sum);
      }
    }
  }
}

TEST(QuantizeRowsTest, FindsParametersForZerosNaNsAndNextToNothing) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {0, 0, 1e-40f, -1e-40f, kNan, 255};
  for (Isa isa : Isas()) {
    const Found found = Quantized(isa, 3, 2, 2, x);
    EXPECT_THAT(found.scale, testing::ElementsAre(1, 1, 1)) << NameOf(isa);
    EXPECT_THAT(found.zero_point, testing::ElementsAre(0, 0, 0));
    EXPECT_THAT(found.bytes, testing::ElementsAre(0, 0, 0, 0, 0, 255));
    EXPECT_THAT(found.sum, testing::ElementsAre(0, 0, 255));
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
