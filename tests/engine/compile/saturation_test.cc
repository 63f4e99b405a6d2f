#include "engine/compile/saturation.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/engine/stored_graphs.h"

namespace tandem::engine {
namespace {

Tensor Stored(Shape shape, std::vector<int8_t> values) { return Tensor::Of<int8_t>(shape, values); }

TEST(SaturationTest, NeighboursOfOneSignPassTogether) {
  const auto passes = [](std::vector<int8_t> weights) { return MaySaturate(Stored({1, 4}, weights), 1); };
  EXPECT_TRUE(passes({127, 2, 0, 0}));
  EXPECT_TRUE(passes({0, 0, -127, -2}));
  EXPECT_TRUE(passes({0, 100, 29, 0}));
  EXPECT_FALSE(passes({64, 64, -64, -64}));
  EXPECT_FALSE(passes({127, 1, 127, 1}));
  EXPECT_FALSE(passes({127, -128, 127, -128}));
  EXPECT_FALSE(passes({127, 0, 127, 0}));
}

TEST(SaturationTest, NeighboursAlongTheSummedAxisArePairs) {
  EXPECT_FALSE(MaySaturate(Stored({2, 2}, {0, 127, 127, 0}), 1));  // of two channels
  EXPECT_TRUE(MaySaturate(Stored({2, 2}, {0, 127, 0, 127}), 0));
  EXPECT_FALSE(MaySaturate(Stored({4, 1}, {127, 127, 127, 127}), 1));  // depthwise: no sums
}

// 255 times a pair of these passes 16 bits.
TEST(SaturationTest, WeightsOfEightBitsAreMultipliedExactlyOnEveryCpu) {
  GraphMaker conv;
  ValueId x = Rounded(conv, conv.Input({1, 32, 8, 8}), {0.02f, 0});
  conv.Output(conv.Op("Conv", {conv.Op("Abs", {x}), StoredWeights(conv, {16, 32, 3, 3}, 16, 0, 8)}));
  ExpectPlanAgrees(conv.graph, 1e-4);
  GraphMaker matmul;
  x = Rounded(matmul, matmul.Input({4, 64}), {0.007f, 0});
  matmul.Output(matmul.Op("MatMul", {x, StoredWeights(matmul, {64, 24}, 24, 1, 8)}));
  ExpectPlanAgrees(matmul.graph, 1e-4);
}

// Weights whose pairs just do not pass 16 bits, `signs` in turn, multiplied by the largest bytes. Numbers of channels
// that are odd show whether a kernel pairs the last of one place with the first of the next.
void ExpectExactAtTheLimit(const ConvCase& c, std::vector<int> signs) {
  const int64_t in = c.x[1] / c.groups, area = NumElements(c.kernel);
  Tensor weights(DataType::kInt8, {c.out, in, c.kernel[0], c.kernel[1]});
  for (int64_t i = 0; i < weights.num_elements(); ++i) {
    const int64_t channel = i / area % in;
    weights.mutable_values<int8_t>()[i] =
        static_cast<int8_t>(signs[static_cast<size_t>(channel) % signs.size()] * (channel % 2 == 0 ? 127 : 1));
  }
  ASSERT_FALSE(MaySaturate(weights, 1));
  GraphMaker maker;
  const ValueId ones = maker.Op("Add", {maker.Op("Mul", {maker.Input(c.x), maker.Scalar(0.0f)}), maker.Scalar(2.55f)});
  const ValueId w = maker.Op("DequantizeLinear",
                             {maker.Constant(weights), maker.Scalar(0.01f), maker.Constant(Tensor::Scalar<int8_t>(0))});
  maker.Output(maker.Op("Conv", {Rounded(maker, ones, {0.01f, 0}), w},
                        With("group", c.groups).And("strides", c.strides).And("pads", c.pads)));
  SCOPED_TRACE(testing::Message() << c.x[1] << " channels, kernel of " << c.kernel[0]);
  ExpectPlanAgrees(maker.graph, 1e-5);
}

TEST(SaturationTest, SumsAtTheLimitAreExact) {
  for (int64_t channels : {2, 3, 5, 8, 17, 29, 32, 63}) {
    for (int64_t kernel : {1, 3}) {
      const ConvCase c{.x = {1, channels, 9, 9}, .out = 16, .kernel = {kernel, kernel}, .pads = {1, 1, 1, 1}};
      ExpectExactAtTheLimit(c, {1});
      ExpectExactAtTheLimit(c, {1, -1});
      ExpectExactAtTheLimit(c, {-1});
    }
  }
  ExpectExactAtTheLimit({.x = {1, 9, 9, 9}, .out = 9, .kernel = {3, 3}, .groups = 3}, {1});
  ExpectExactAtTheLimit({.x = {1, 16, 9, 9}, .out = 16, .kernel = {3, 3}, .groups = 16}, {1});
}

}  // namespace
}  // namespace tandem::engine
