#include "engine/kernels/average_pool.h"

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

void ExpectGlobal(const Quantization& from, const Quantization& to, size_t images, size_t pixels, size_t channels) {
  const std::vector<uint8_t> x = RandomBytes(images * pixels * channels, 21);
  std::vector<float> reals(images * channels);
  std::vector<uint8_t> stored(images * channels);
  for (size_t i = 0; i < reals.size(); ++i) {
    int sum = 0;
    for (size_t p = 0; p < pixels; ++p) sum += Steps(from, x[(i / channels * pixels + p) * channels + i % channels]);
    const float count = static_cast<float>(pixels);
    reals[i] = static_cast<float>(sum) * (from.scale / count);
    stored[i] = Rounded(to, static_cast<float>(sum) * (from.scale / (to.scale * count)));
  }
  for (Isa isa : Isas()) {
    Result<float> y(reals.size());
    GlobalAveragePool(isa, from, images, pixels, channels, x.data(), y.data());
    ASSERT_EQ(y.Get(), reals) << NameOf(isa) << ", " << pixels << " pixels of " << channels;
    Result<uint8_t> bytes(reals.size());
    GlobalAveragePool(isa, from, to, images, pixels, channels, x.data(), bytes.data());
    ASSERT_EQ(bytes.Get(), stored) << NameOf(isa) << ", " << pixels << " pixels of " << channels;
  }
}

TEST(GlobalAveragePoolTest, IsExactWhateverTheTypes) {
  for (const Quantization& from : Quantizations()) {
    for (const Quantization& to : Quantizations()) ExpectGlobal(from, to, 2, 49, 20);
  }
}

TEST(GlobalAveragePoolTest, TakesAnyNumberOfPixelsAndChannels) {
  const Quantization from = Quantizations()[3], to = Quantizations()[1];
  for (size_t channels = 1; channels <= kLongest; ++channels) ExpectGlobal(from, to, 1, channels % 9 + 1, channels);
  for (size_t channels : {511, 512, 513, 1280}) ExpectGlobal(from, to, 2, 49, channels);
  for (size_t pixels : {256, 257, 258, 513, 514, 515, 3136}) ExpectGlobal(from, to, 1, pixels, 17);
}

TEST(GlobalAveragePoolTest, SumsTheLargestBytes) {
  constexpr size_t kPixels = 100000;
  const std::vector<uint8_t> x(kPixels * 2, 255);
  for (Isa isa : Isas()) {
    std::vector<float> y(2);
    GlobalAveragePool(isa, {ByteType::kUInt8, 1, 0}, 1, kPixels, 2, x.data(), y.data());
    EXPECT_THAT(y, testing::Each(testing::FloatEq(255))) << NameOf(isa);
  }
}

// The average of one window, element by element.
uint8_t Window(const Quantization& from, const Quantization& to, const PoolParameters& pool, size_t channels,
               const uint8_t* image, size_t row, size_t column, size_t channel) {
  const PoolAxis &h = pool.height, &w = pool.width;
  int sum = 0, inside = 0, padded = 0;
  for (size_t i = row * h.stride; i < row * h.stride + h.kernel; ++i) {
    for (size_t k = column * w.stride; k < column * w.stride + w.kernel; ++k) {
      if (i >= h.padding + h.input + h.padding_end || k >= w.padding + w.input + w.padding_end) continue;
      ++padded;
      if (i < h.padding || k < w.padding || i >= h.padding + h.input || k >= w.padding + w.input) continue;
      ++inside;
      sum += Steps(from, image[((i - h.padding) * w.input + k - w.padding) * channels + channel]);
    }
  }
  const float count = static_cast<float>(pool.count_include_pad ? padded : inside);
  return Rounded(to, static_cast<float>(sum) * (from.scale / (to.scale * count)));
}

void ExpectWindows(const Quantization& from, const Quantization& to, const PoolParameters& pool, size_t channels) {
  const size_t images = 2, in = pool.height.input * pool.width.input, out = pool.height.output * pool.width.output;
  const std::vector<uint8_t> x = RandomBytes(images * in * channels, 22);
  std::vector<uint8_t> expected(images * out * channels);
  for (size_t i = 0; i < expected.size(); ++i) {
    const size_t pixel = i / channels % out;
    expected[i] = Window(from, to, pool, channels, x.data() + i / channels / out * in * channels,
                         pixel / pool.width.output, pixel % pool.width.output, i % channels);
  }
  for (Isa isa : Isas()) {
    Result<uint8_t> y(expected.size());
    AveragePool(isa, from, to, pool, images, channels, x.data(), y.data());
    ASSERT_EQ(y.Get(), expected) << NameOf(isa) << ", " << channels << " channels";
  }
}

TEST(AveragePoolTest, CountsPaddingOrNot) {
  for (bool count : {false, true}) {
    for (const Quantization& from : Quantizations()) {
      const PoolParameters same = {{5, 5, 3, 1, 1, 1}, {7, 7, 3, 1, 1, 1}, count};
      ExpectWindows(from, Quantizations()[1], same, 19);
    }
    // The last window reaches past the padding, as rounding up the output's size makes it do.
    const PoolParameters ceiled = {{6, 4, 3, 2, 1, 0}, {5, 3, 2, 2, 0, 0}, count};
    ExpectWindows(Quantizations()[1], Quantizations()[3], ceiled, 64);
    const PoolParameters plain = {{8, 4, 2, 2, 0, 0}, {8, 2, 3, 5, 0, 0}, count};
    ExpectWindows(Quantizations()[2], Quantizations()[3], plain, 600);
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
