#include "engine/kernels/resize.h"

#include <algorithm>

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

// Where the middles of the result's pixels lie in the source.
std::vector<LinearTap> HalfPixelTaps(size_t input, size_t output) {
  std::vector<LinearTap> taps;
  for (size_t i = 0; i < output; ++i) {
    const float at = (static_cast<float>(i) + 0.5f) * static_cast<float>(input) / static_cast<float>(output) - 0.5f;
    const float bounded = std::clamp(at, 0.0f, static_cast<float>(input - 1));
    const auto low = static_cast<size_t>(bounded);
    taps.push_back({low, std::min(low + 1, input - 1), bounded - static_cast<float>(low)});
  }
  return taps;
}

struct Case {
  size_t height, width, to_height, to_width, channels;
};

void ExpectResized(const Quantization& from, const Quantization& to, const Case& c) {
  constexpr size_t kImages = 2;
  const std::vector<LinearTap> rows = HalfPixelTaps(c.height, c.to_height),
                               columns = HalfPixelTaps(c.width, c.to_width);
  const std::vector<uint8_t> x = RandomBytes(kImages * c.height * c.width * c.channels, 41);
  std::vector<uint8_t> expected(kImages * c.to_height * c.to_width * c.channels);
  for (size_t i = 0; i < expected.size(); ++i) {
    const size_t channel = i % c.channels, pixel = i / c.channels;
    const LinearTap v = rows[pixel / c.to_width % c.to_height], h = columns[pixel % c.to_width];
    const size_t image = pixel / c.to_width / c.to_height;
    const auto at = [&](size_t row, size_t column) {
      const size_t index = ((image * c.height + row) * c.width + column) * c.channels + channel;
      return static_cast<float>(Steps(from, x[index]));
    };
    const float above = at(v.low, h.low) * (1 - h.weight) + at(v.low, h.high) * h.weight;
    const float below = at(v.high, h.low) * (1 - h.weight) + at(v.high, h.high) * h.weight;
    expected[i] = Rounded(to, (above * (1 - v.weight) + below * v.weight) * (from.scale / to.scale));
  }
  for (Isa isa : Isas()) {
    Result<uint8_t> y(expected.size());
    ResizeLinear(isa, from, to, {c.height, c.to_height, rows.data()}, {c.width, c.to_width, columns.data()}, kImages,
                 c.channels, x.data(), y.data());
    ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << c.channels << " channels";
  }
}

TEST(ResizeLinearTest, EqualsPlainInterpolationWhateverTheTypes) {
  for (const Quantization& from : Quantizations()) {
    for (const Quantization& to : Quantizations()) ExpectResized(from, to, {3, 4, 6, 8, 21});
  }
}

TEST(ResizeLinearTest, TakesAnyScaleAndNumberOfChannels) {
  const Quantization q = Quantizations()[1];
  for (size_t channels = 1; channels <= kLongest; ++channels) ExpectResized(q, q, {2, 2, 3, 4, channels});
  ExpectResized(q, q, {1, 1, 4, 4, 16});
  ExpectResized(q, q, {7, 5, 3, 2, 16});
  ExpectResized(q, q, {5, 5, 5, 5, 64});
}

TEST(ResizeLinearTest, ChangesNothingWhereNothingIsResized) {
  const Quantization q = {ByteType::kInt8, 0.3f, 11};
  const std::vector<uint8_t> x = RandomBytes(4 * 4 * 20, 42);
  const std::vector<LinearTap> taps = HalfPixelTaps(4, 4);
  for (Isa isa : Isas()) {
    std::vector<uint8_t> y(x.size());
    ResizeLinear(isa, q, q, {4, 4, taps.data()}, {4, 4, taps.data()}, 1, 20, x.data(), y.data());
    EXPECT_EQ(y, x) << NameOf(isa);
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
