// Parameters, weights and samples.
#include "engine/quantize/scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "engine/compile/saturation.h"
#include "engine/quantize/samples.h"
#include "engine/quantize/weights.h"
#include "tests/engine/graph_maker.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(SchemeTest, RangesHoldZeroExactly) {
  const QuantParams params = ParamsForRange(0.5f, 2);
  EXPECT_EQ(params.zero_point, 0);
  EXPECT_FLOAT_EQ(params.scale, 2 / 255.0f);
  EXPECT_EQ(ParamsForRange(-3, -1).zero_point, 255);
  EXPECT_EQ(ParamsForRange(0, 0).scale, 1);
}

TEST(SchemeTest, PowersOfTwoAreNoNarrower) {
  const QuantParams params = WithPowerOfTwo(ParamsForRange(-1, 2), -1, 2);
  EXPECT_EQ(std::exp2(std::round(std::log2(params.scale))), params.scale);
  EXPECT_LE(-params.zero_point * params.scale, -1);
  EXPECT_GE((255 - params.zero_point) * params.scale, 2);
}

TEST(SchemeTest, StoringRoundsAndSaturates) {
  const std::vector<float> values = {-5, 0, 0.26f, 0.74f, 1000};
  std::vector<float> stored(values.size());
  FakeQuantize({.scale = 0.5f, .zero_point = 2}, values, absl::MakeSpan(stored));
  EXPECT_THAT(stored, ElementsAre(-1, 0, 0.5f, 0.5f, 126.5f));
}

TEST(SchemeTest, FindsLayersWithConstantWeightsOnly) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 4, 4});
  const ValueId conv = maker.Op("Conv", {x, maker.Weights({3, 2, 1, 1})});
  const ValueId flat = maker.Op("Flatten", {conv});
  const ValueId product = maker.Op("MatMul", {flat, maker.Weights({48, 5})});
  const ValueId sum = maker.Op("Add", {product, maker.Weights({5})});
  maker.Output(maker.Op("MatMul", {sum, maker.Input({5, 2})}));
  const auto layers = FindLayers(maker.graph);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].channel_axis, 0);
  EXPECT_EQ(layers[0].bias_node, layers[0].node);
  EXPECT_EQ(layers[1].channel_axis, 1);
  EXPECT_EQ(layers[1].bias_node, maker.graph.value(sum).producer);
}

TEST(WeightsTest, EachChannelHasItsScale) {
  const Tensor weights = Floats({2, 2}, {1, -0.5f, 100, 50});
  const LayerScheme rows = QuantizeWeights(weights, 0, {.clip = false});
  EXPECT_FLOAT_EQ(rows.scales[0], 1 / 127.0f);
  EXPECT_FLOAT_EQ(rows.scales[1], 100 / 127.0f);
  const LayerScheme columns = QuantizeWeights(weights, 1, {.clip = false});
  EXPECT_FLOAT_EQ(columns.scales[0], 100 / 127.0f);
  ExpectClose(DequantizeWeights(rows, 0), weights, 0.005);
}

TEST(WeightsTest, ClippingNeverMakesWeightsWorse) {
  const Tensor weights = RandomFloats({4, 64}, 3);
  const auto error = [&](bool clip) {
    const Tensor back = DequantizeWeights(QuantizeWeights(weights, 0, {.clip = clip}), 0);
    double sum = 0;
    for (int64_t i = 0; i < weights.num_elements(); ++i) {
      sum += std::pow(back.values<float>()[i] - weights.values<float>()[i], 2);
    }
    return sum;
  };
  EXPECT_LE(error(true), error(false));
}

TEST(WeightsTest, ChannelsOfZerosStayZeros) {
  const LayerScheme scheme = QuantizeWeights(Floats({2, 2}, {0, 0, 1, 1}), 0, {});
  EXPECT_EQ(DequantizeWeights(scheme, 0).values<float>()[0], 0);
}

Tensor Noise(const Shape& shape) {
  Tensor weights(DataType::kFloat32, shape);
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (float& weight : weights.mutable_values<float>()) weight = normal(random);
  return weights;
}

TEST(WeightsTest, LimitedPairsNeverSaturate) {
  for (int64_t axis : {0, 1}) {
    for (bool power_of_two : {false, true}) {
      const Tensor weights = Noise({16, 24, 3, 3});
      const LayerScheme scheme = QuantizeWeights(weights, 1 - axis, {.pair_axis = axis, .power_of_two = power_of_two});
      EXPECT_FALSE(MaySaturate(scheme.weights, axis)) << axis << power_of_two;
      EXPECT_TRUE(MaySaturate(QuantizeWeights(weights, 1 - axis, {.power_of_two = power_of_two}).weights, axis));
    }
  }
}

TEST(WeightsTest, LimitedPairsErrLessThanSevenBits) {
  const Tensor weights = Noise({4, 64, 3, 3});
  const LayerScheme scheme = QuantizeWeights(weights, 0, {.pair_axis = 1});
  const Tensor back = DequantizeWeights(scheme, 0);
  double error = 0, of_seven_bits = 0;
  for (int64_t channel = 0; channel < 4; ++channel) {
    const auto from = weights.values<float>().subspan(channel * 576, 576);
    float largest = 0;
    for (float weight : from) largest = std::max(largest, std::abs(weight));
    for (size_t i = 0; i < from.size(); ++i) {
      const float scale = largest / 63;
      error += std::pow(back.values<float>()[channel * 576 + i] - from[i], 2);
      of_seven_bits += std::pow(std::nearbyint(from[i] / scale) * scale - from[i], 2);
    }
  }
  EXPECT_LT(error, 0.6 * of_seven_bits);
}

TEST(WeightsTest, PairsOfTwoSignsAreNotLimited) {
  const Tensor weights = Floats({1, 4}, {127, -127, 127, -126});
  EXPECT_THAT(QuantizeWeights(weights, 0, {.pair_axis = 1}).weights.values<int8_t>(),
              ElementsAre(127, -127, 127, -126));
}

TEST(WeightsTest, BinaryWeightsAreASignAndAScale) {
  const LayerScheme scheme = BinarizeWeights(Floats({2, 2}, {1, -3, 0, -8}), 0);
  EXPECT_THAT(ValuesOf(DequantizeWeights(scheme, 0)), ElementsAre(2, -2, 4, -4));
}

TEST(SamplesTest, SplitsDoNotOverlapAndFollowTheSeed) {
  const Split split = SplitSamples(101, 5, 512, 4096);
  EXPECT_EQ(split.calibration.size(), 50u);
  EXPECT_EQ(split.judging.size(), 51u);
  std::vector<int64_t> all = split.calibration;
  all.insert(all.end(), split.judging.begin(), split.judging.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  EXPECT_EQ(SplitSamples(101, 5, 512, 4096).calibration, split.calibration);
  EXPECT_NE(SplitSamples(101, 6, 512, 4096).calibration, split.calibration);
}

TEST(SamplesTest, OneSampleServesBothAndNoneNothing) {
  EXPECT_EQ(SplitSamples(1, 1, 512, 4096).judging.size(), 1u);
  EXPECT_TRUE(SplitSamples(0, 1, 512, 4096).calibration.empty());
}

}  // namespace
}  // namespace tandem::engine
