#include "engine/ops/conv_geometry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace tandem::engine {
namespace {

using Ints = std::vector<int64_t>;

// The one axis of ConvWindow over `input` elements with a kernel of `kernel`.
WindowAxis Axis(const Attributes& attributes, int64_t input, int64_t kernel, bool ceil = false) {
  const auto window = ConvWindow(attributes, Ints{input}, Ints{kernel}, ceil);
  EXPECT_TRUE(window.ok()) << window.status();
  return window.ok() ? (*window)[0] : WindowAxis{};
}

TEST(ConvWindow, CountsWindowsOfThePaddedInput) {
  Attributes attributes;
  attributes.Set("pads", Ints{1, 2});
  attributes.Set("strides", Ints{2});
  attributes.Set("dilations", Ints{2});
  EXPECT_EQ(Axis(attributes, 8, 3).output, 4);  // (8 + 3 - 5) / 2 + 1
}

TEST(ConvWindow, PutsTheOddPaddingWhereAutoPadSays) {
  Attributes attributes;
  attributes.Set("auto_pad", std::string("SAME_UPPER"));
  attributes.Set("strides", Ints{2});
  const WindowAxis upper = Axis(attributes, 4, 3);  // total padding 1
  EXPECT_EQ(upper.output, 2);
  EXPECT_EQ(upper.pad_begin, 0);
  EXPECT_EQ(upper.pad_end, 1);
  attributes.Set("auto_pad", std::string("SAME_LOWER"));
  EXPECT_EQ(Axis(attributes, 4, 3).pad_begin, 1);
  attributes.Set("auto_pad", std::string("VALID"));
  attributes.Set("pads", Ints{5, 5});
  EXPECT_EQ(Axis(attributes, 4, 3).output, 1);
}

TEST(ConvWindow, CeilModeAddsAHangingWindowThatStartsInTheInput) {
  Attributes attributes;
  attributes.Set("ceil_mode", int64_t{1});
  attributes.Set("strides", Ints{2});
  EXPECT_EQ(Axis(attributes, 4, 3, true).output, 2);
  EXPECT_EQ(Axis(attributes, 4, 3, false).output, 1);
  attributes.Set("pads", Ints{0, 1});
  attributes.Set("strides", Ints{3});
  EXPECT_EQ(Axis(attributes, 3, 2, true).output, 1);  // a second one would start at 3, in the padding
}

TEST(ConvWindow, RefusesHostileValues) {
  const auto code = [](absl::string_view name, Attribute value, int64_t input = 8, int64_t kernel = 3) {
    Attributes attributes;
    attributes.Set(name, std::move(value));
    return ConvWindow(attributes, Ints{input}, Ints{kernel}).status().code();
  };
  constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(code("strides", Ints{0}), kRefused);
  EXPECT_EQ(code("strides", Ints{-1}), kRefused);
  EXPECT_EQ(code("strides", Ints{1, 1}), kRefused);
  EXPECT_EQ(code("dilations", Ints{0}), kRefused);
  EXPECT_EQ(code("dilations", Ints{kHuge}), kRefused);
  EXPECT_EQ(code("pads", Ints{-1, 0}), kRefused);
  EXPECT_EQ(code("pads", Ints{kHuge, kHuge}), kRefused);
  EXPECT_EQ(code("pads", Ints{1}), kRefused);
  EXPECT_EQ(code("auto_pad", std::string("SOME")), kRefused);
  EXPECT_EQ(code("strides", Ints{1}, 8, 0), kRefused);
  EXPECT_EQ(code("strides", Ints{1}, 8, 9), kRefused);
  EXPECT_EQ(code("strides", Ints{1}, 8, kHuge), kRefused);
  EXPECT_EQ(code("strides", Ints{1}, -1, 1), kRefused);
}

TEST(ConvTransposeWindow, InvertsConv) {
  Attributes attributes;
  attributes.Set("strides", Ints{2});
  attributes.Set("pads", Ints{1, 1});
  attributes.Set("output_padding", Ints{1});
  const auto window = ConvTransposeWindow(attributes, Ints{4}, Ints{3});
  ASSERT_TRUE(window.ok());
  EXPECT_EQ((*window)[0].input, 8);  // 2 * 3 + 1 + 3 - 2
  EXPECT_EQ((*window)[0].output, 4);
}

TEST(ConvTransposeWindow, DerivesPaddingFromTheOutputShape) {
  Attributes attributes;
  attributes.Set("strides", Ints{2});
  attributes.Set("output_shape", Ints{6});
  auto window = ConvTransposeWindow(attributes, Ints{3}, Ints{3});  // 7 without padding
  ASSERT_TRUE(window.ok());
  EXPECT_EQ((*window)[0].pad_begin, 1);
  EXPECT_EQ((*window)[0].pad_end, 0);
  attributes.Set("auto_pad", std::string("SAME_UPPER"));
  window = ConvTransposeWindow(attributes, Ints{3}, Ints{3});
  EXPECT_EQ((*window)[0].pad_begin, 0);
}

TEST(ConvTransposeWindow, RefusesPaddingBeyondTheOutput) {
  Attributes attributes;
  attributes.Set("pads", Ints{3, 3});
  EXPECT_FALSE(ConvTransposeWindow(attributes, Ints{3}, Ints{3}).ok());
}

TEST(WindowAxis, RangesHoldExactlyTheTapsInside) {
  const WindowAxis axis{.input = 5, .output = 4, .kernel = 3, .stride = 2, .dilation = 2, .pad_begin = 3, .pad_end = 4};
  for (int64_t o = 0; o < axis.output; ++o) {
    for (int64_t k = 0; k < axis.kernel; ++k) {
      const bool inside = axis.InputOf(o, k) >= 0 && axis.InputOf(o, k) < axis.input;
      const IndexRange taps = axis.TapsOfOutput(o);
      const IndexRange outputs = axis.OutputsOfTap(k);
      EXPECT_EQ(inside, k >= taps.begin && k < taps.end) << o << " " << k;
      EXPECT_EQ(inside, o >= outputs.begin && o < outputs.end) << o << " " << k;
    }
  }
}

TEST(CheckElementCount, CatchesProductsThatOverflow) {
  EXPECT_TRUE(CheckElementCount({2, 3, 0}).ok());
  EXPECT_FALSE(CheckElementCount({int64_t{1} << 32, int64_t{1} << 32}).ok());
  EXPECT_FALSE(CheckElementCount({int64_t{1} << 32, int64_t{1} << 32, 0}).ok());
  EXPECT_FALSE(CheckElementCount({-1}).ok());
}

}  // namespace
}  // namespace tandem::engine
