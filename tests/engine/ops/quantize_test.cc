#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(QuantizeLinear, RoundsHalvesToEvenAndSaturates) {
  OpTester op("QuantizeLinear");
  op.Input<float>({6}, {1, 3, 5, -1, 1000, -1000}).Input<float>({}, {2}).Input<uint8_t>({}, {128});
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(128, 130, 130, 128, 255, 0));
}

TEST(QuantizeLinear, MakesUnsignedBytesByDefaultAndOtherTypesWhenAsked) {
  OpTester bytes("QuantizeLinear");
  bytes.Input<float>({2}, {-1, 300}).Input<float>({1}, {1});
  EXPECT_THAT(bytes.Run<uint8_t>(), ElementsAre(0, 255));
  OpTester wide("QuantizeLinear");
  wide.attributes.Set("output_dtype", int64_t{5});
  wide.Input<float>({2}, {-40000, 300}).Input<float>({}, {1});
  EXPECT_THAT(wide.Run<int16_t>(), ElementsAre(-32768, 300));
}

TEST(QuantizeLinear, HasOneScaleAnAxisPosition) {
  OpTester middle("QuantizeLinear");
  middle.Input<float>({1, 2, 2}, {1, 2, 10, 20}).Input<float>({2}, {1, 10}).Input<int8_t>({2}, {0, 1});
  EXPECT_THAT(middle.Run<int8_t>(), ElementsAre(1, 2, 2, 3));
  OpTester last("QuantizeLinear");
  last.attributes.Set("axis", int64_t{-1});
  last.Input<float>({2, 2}, {1, 10, 2, 20}).Input<float>({2}, {1, 10}).Input<int8_t>({2}, {0, 1});
  EXPECT_THAT(last.Run<int8_t>(), ElementsAre(1, 2, 2, 3));
}

TEST(QuantizeLinear, HasOneScaleABlock) {
  OpTester last("QuantizeLinear");
  last.attributes.Set("block_size", int64_t{2});
  last.Input<float>({2, 3}, {2, 4, 30, 3, 6, 8}).Input<float>({2, 2}, {2, 10, 3, 4});
  last.Input<uint8_t>({2, 2}, {0, 1, 0, 0});
  EXPECT_THAT(last.Run<uint8_t>(), ElementsAre(1, 2, 4, 1, 2, 2));
  OpTester first("QuantizeLinear");
  first.attributes.Set("axis", int64_t{0});
  first.attributes.Set("block_size", int64_t{2});
  first.Input<float>({3, 2}, {2, 3, 4, 6, 30, 8}).Input<float>({2, 2}, {2, 3, 10, 4});
  EXPECT_THAT(first.Run<uint8_t>(), ElementsAre(1, 1, 2, 2, 3, 2));
}

TEST(QuantizeLinear, SurvivesNanInfinityAndScalesOfZero) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  OpTester op("QuantizeLinear");
  op.Input<float>({4}, {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 1}).Input<float>({}, {0});
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(0, 255, 0, 255));
}

TEST(QuantizeLinear, RefusesScalesThatDoNotFit) {
  OpTester axis("QuantizeLinear");
  axis.Input<float>({1, 2}, {1, 2}).Input<float>({3}, {1, 1, 1});
  EXPECT_THAT(axis.Error().message(), HasSubstr("scales of shape [3]"));
  OpTester block("QuantizeLinear");
  block.attributes.Set("block_size", int64_t{2});
  block.Input<float>({1, 4}, {1, 2, 3, 4}).Input<float>({1, 3}, {1, 1, 1});
  EXPECT_THAT(block.Error().message(), HasSubstr("expected [1,2]"));
  OpTester zero("QuantizeLinear");
  zero.Input<float>({1, 2}, {1, 2}).Input<float>({2}, {1, 1}).Input<uint8_t>({}, {0});
  EXPECT_THAT(zero.Error().message(), HasSubstr("scale and zero point"));
}

TEST(QuantizeLinear, RefusesTypesItCannotMake) {
  OpTester op("QuantizeLinear");
  op.attributes.Set("output_dtype", int64_t{7});
  op.Input<float>({1}, {1}).Input<float>({}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

TEST(DequantizeLinear, InvertsPerTensorAxisAndBlock) {
  OpTester tensor("DequantizeLinear");
  tensor.Input<uint8_t>({2}, {0, 130}).Input<float>({}, {2}).Input<uint8_t>({}, {128});
  EXPECT_THAT(tensor.Run<float>(), ElementsAre(-256, 4));
  OpTester axis("DequantizeLinear");
  axis.attributes.Set("axis", int64_t{0});
  axis.Input<int8_t>({2, 1}, {1, 2}).Input<float>({2}, {1, 10});
  EXPECT_THAT(axis.Run<float>(), ElementsAre(1, 20));
  OpTester block("DequantizeLinear");
  block.attributes.Set("axis", int64_t{0});
  block.attributes.Set("block_size", int64_t{2});
  block.Input<int16_t>({3, 1}, {1, 2, 3}).Input<float>({2, 1}, {1, 10});
  EXPECT_THAT(block.Run<float>(), ElementsAre(1, 2, 30));
}

TEST(DequantizeLinear, TakesThirtyTwoBitSums) {
  OpTester op("DequantizeLinear");
  op.Input<int32_t>({1}, {-1000}).Input<float>({}, {0.5f});
  EXPECT_THAT(op.Run<float>(), ElementsAre(-500));
}

TEST(DequantizeLinear, RefusesAZeroPointOfAnotherType) {
  OpTester op("DequantizeLinear");
  op.Input<uint8_t>({1}, {1}).Input<float>({}, {1}).Input<int8_t>({}, {0});
  EXPECT_THAT(op.Error().message(), HasSubstr("zero point is int8"));
}

TEST(DynamicQuantizeLinear, FitsTheRangeWithZeroInIt) {
  OpTester op("DynamicQuantizeLinear");
  op.Input<float>({3}, {-51, 0, 204}).Outputs(3);
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(0, 51, 255));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(1));
  EXPECT_THAT(op.Run<uint8_t>(2), ElementsAre(51));
}

TEST(DynamicQuantizeLinear, FindsAScaleForZerosAndNothing) {
  OpTester zeros("DynamicQuantizeLinear");
  zeros.Input<float>({2}, {0, 0}).Outputs(3);
  EXPECT_THAT(zeros.Run<uint8_t>(), ElementsAre(0, 0));
  EXPECT_THAT(zeros.Run<float>(1), ElementsAre(1));
  OpTester nothing("DynamicQuantizeLinear");
  nothing.Input<float>({0}, {}).Outputs(3);
  EXPECT_THAT(nothing.Run<uint8_t>(2), ElementsAre(0));
}

TEST(MatMulInteger, TakesZeroPointsPerRowAndColumn) {
  OpTester plain("MatMulInteger");
  plain.Input<uint8_t>({1, 2}, {1, 2}).Input<int8_t>({2, 2}, {1, -1, 3, 4});
  EXPECT_THAT(plain.Run<int32_t>(), ElementsAre(7, 7));
  OpTester lines("MatMulInteger");
  lines.Input<uint8_t>({2, 1}, {10, 20}).Input<uint8_t>({1, 2}, {5, 6});
  lines.Input<uint8_t>({2}, {9, 18}).Input<uint8_t>({2}, {4, 3});
  EXPECT_THAT(lines.Run<int32_t>(), ElementsAre(1, 3, 2, 6));
}

TEST(MatMulInteger, BroadcastsBatches) {
  OpTester op("MatMulInteger");
  op.Input<uint8_t>({2, 1, 1}, {2, 3}).Input<uint8_t>({1, 1}, {5}).Input<uint8_t>({2, 1, 1}, {1, 0});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(5, 15));
  EXPECT_EQ(op.RunShape(), Shape({2, 1, 1}));
}

TEST(MatMulInteger, RefusesZeroPointsOfAnotherLengthOrType) {
  OpTester length("MatMulInteger");
  length.Input<uint8_t>({2, 1}, {1, 2}).Input<uint8_t>({1, 1}, {1}).Input<uint8_t>({3}, {1, 2, 3});
  EXPECT_THAT(length.Error().message(), HasSubstr("input 2 has shape [3]"));
  OpTester type("MatMulInteger");
  type.Input<uint8_t>({1, 1}, {1}).Input<uint8_t>({1, 1}, {1}).Input<int8_t>({}, {1});
  EXPECT_THAT(type.Error().message(), HasSubstr("is int8"));
}

TEST(QLinearMatMul, RescalesTheProduct) {
  OpTester op("QLinearMatMul");
  op.Input<uint8_t>({1, 2}, {3, 5}).Input<float>({}, {0.5f}).Input<uint8_t>({}, {1});
  op.Input<int8_t>({2, 2}, {1, 2, 3, 4}).Input<float>({2}, {2, 1}).Input<int8_t>({}, {0});
  op.Input<float>({}, {2}).Input<uint8_t>({}, {10});
  // (2 4) x (1 2; 3 4) = (14 20), times 0.5 * (2 1) / 2, plus 10.
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(17, 15));
}

TEST(ConvInteger, PadsWithTheZeroPoint) {
  OpTester op("ConvInteger");
  op.attributes.Set("pads", std::vector<int64_t>{1, 1});
  op.Input<uint8_t>({1, 1, 2}, {11, 12}).Input<uint8_t>({1, 1, 3}, {1, 1, 1}).Input<uint8_t>({}, {10});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(3, 3));
}

TEST(ConvInteger, HasGroupsAndZeroPointsPerChannel) {
  OpTester op("ConvInteger");
  op.attributes.Set("group", int64_t{2});
  op.Input<uint8_t>({1, 2, 1}, {2, 3}).Input<int8_t>({2, 1, 1}, {5, 5}).AbsentInput().Input<int8_t>({2}, {1, -1});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(8, 18));
}

TEST(QLinearConv, RescalesPerChannelWithBias) {
  OpTester op("QLinearConv");
  op.Input<uint8_t>({1, 1, 2}, {2, 4}).Input<float>({}, {0.5f}).Input<uint8_t>({}, {0});
  op.Input<int8_t>({2, 1, 1}, {1, 3}).Input<float>({2}, {2, 1}).Input<int8_t>({2}, {0, 0});
  op.Input<float>({}, {1}).Input<int8_t>({}, {-1}).Input<int32_t>({2}, {1, 100});
  // Sums 2+1, 4+1 times 1; 6+100, 12+100 times 0.5; minus 1.
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(2, 4, 52, 55));
}

TEST(QLinearConv, RefusesScalesOfAnotherLength) {
  OpTester op("QLinearConv");
  op.Input<uint8_t>({1, 1, 1}, {2}).Input<float>({}, {1}).Input<uint8_t>({}, {0});
  op.Input<int8_t>({2, 1, 1}, {1, 3}).Input<float>({3}, {1, 1, 1}).Input<int8_t>({}, {0});
  op.Input<float>({}, {1}).Input<uint8_t>({}, {0});
  EXPECT_THAT(op.Error().message(), HasSubstr("input 4 has shape [3]"));
}

}  // namespace
}  // namespace tandem::engine
