#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

// One rounding of a square root and a few of sums.
auto Near(float expected) { return FloatNear(expected, 1e-5f); }

OpTester Batch() {
  OpTester op("BatchNormalization");
  op.attributes.Set("epsilon", 0.0f);
  op.Input<float>({1, 2, 2}, {1, 2, 3, 4}).Input<float>({2}, {2, 10}).Input<float>({2}, {1, 0});
  op.Input<float>({2}, {1, 3}).Input<float>({2}, {4, 0.25f});
  return op;
}

TEST(BatchNormalization, UsesTheGivenStatistics) { EXPECT_THAT(Batch().Run<float>(), ElementsAre(1, 2, 0, 20)); }

TEST(BatchNormalization, ComputesThemInTrainingMode) {
  OpTester op = Batch();
  op.attributes.Set("training_mode", int64_t{1});
  op.attributes.Set("momentum", 0.5f);
  op.Outputs(3);
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(-1), Near(3), Near(-10), Near(10)));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(1.25f, 3.25f));
  EXPECT_THAT(op.Run<float>(2), ElementsAre(2.125f, 0.25f));
}

TEST(BatchNormalization, RefusesParametersOfAnotherLength) {
  OpTester op("BatchNormalization");
  op.Input<float>({1, 3}, {1, 2, 3});
  for (int i = 0; i < 4; ++i) op.Input<float>({2}, {1, 1});
  EXPECT_THAT(op.Error().message(), HasSubstr("input 1 has shape [2]"));
}

TEST(InstanceNormalization, NormalizesEveryChannelOfEverySample) {
  OpTester op("InstanceNormalization");
  op.attributes.Set("epsilon", 0.0f);
  op.Input<float>({2, 1, 2}, {1, 3, 10, 30}).Input<float>({1}, {2}).Input<float>({1}, {5});
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(3), Near(7), Near(3), Near(7)));
}

TEST(GroupNormalization, NormalizesChannelsTogether) {
  OpTester op("GroupNormalization");
  op.attributes.Set("epsilon", 0.0f);
  op.attributes.Set("num_groups", int64_t{1});
  op.Input<float>({1, 2, 1}, {1, 3}).Input<float>({2}, {1, 10}).Input<float>({2}, {0, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(-1), Near(11)));
}

TEST(GroupNormalization, RefusesGroupsThatDoNotDivide) {
  for (int64_t groups : {0, -1, 2}) {
    OpTester op("GroupNormalization");
    op.attributes.Set("num_groups", groups);
    op.Input<float>({1, 3}, {1, 2, 3}).Input<float>({3}, {1, 1, 1}).Input<float>({3}, {0, 0, 0});
    EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument) << groups;
  }
}

TEST(Normalizations, LeaveEmptyTensorsEmpty) {
  for (const char* name : {"InstanceNormalization", "GroupNormalization"}) {
    OpTester op(name);
    op.attributes.Set("num_groups", int64_t{1});
    op.Input<float>({0, 1, 2}, {}).Input<float>({1}, {1}).Input<float>({1}, {0});
    EXPECT_EQ(op.RunShape(), Shape({0, 1, 2})) << name;
  }
}

TEST(LayerNormalization, NormalizesTrailingDimensions) {
  OpTester op("LayerNormalization");
  op.attributes.Set("epsilon", 0.0f);
  op.Input<float>({2, 2}, {1, 3, 10, 30}).Input<float>({2}, {1, 2}).Input<float>({2}, {0, 5}).Outputs(3);
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(-1), Near(7), Near(-1), Near(7)));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(2, 20));
  EXPECT_THAT(op.Run<float>(2), ElementsAre(Near(1), Near(0.1f)));
  EXPECT_EQ(op.RunShape(1), Shape({2, 1}));
}

TEST(LayerNormalization, BroadcastsScaleAndBias) {
  OpTester op("LayerNormalization");
  op.attributes.Set("epsilon", 0.0f);
  op.Input<float>({2, 2}, {1, 3, 1, 3}).Input<float>({2, 1}, {1, 2}).Input<float>({1}, {5});
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(4), Near(6), Near(3), Near(7)));
}

TEST(LayerNormalization, RefusesAScaleThatDoesNotFit) {
  OpTester op("LayerNormalization");
  op.Input<float>({1, 2}, {1, 3}).Input<float>({3}, {1, 1, 1});
  EXPECT_THAT(op.Error().message(), HasSubstr("does not broadcast"));
  OpTester axis("LayerNormalization");
  axis.attributes.Set("axis", int64_t{2});
  axis.Input<float>({1, 2}, {1, 3}).Input<float>({2}, {1, 1});
  EXPECT_THAT(axis.Error().message(), HasSubstr("axis 2"));
}

TEST(RMSNormalization, DividesByTheRootOfTheMeanSquare) {
  OpTester op("RMSNormalization");
  op.attributes.Set("epsilon", 0.0f);
  op.Input<float>({1, 2}, {1, 7}).Input<float>({2}, {1, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(0.2f), Near(2.8f)));
}

TEST(LRN, DividesByTheSquaresOfNeighbouringChannels) {
  OpTester op("LRN");
  op.attributes.Set("size", int64_t{2});
  op.attributes.Set("alpha", 2.0f);
  op.attributes.Set("beta", 1.0f);
  op.Input<float>({1, 3, 1}, {1, 2, 3});
  // A window of two reaches one channel on: 1 + 4, 4 + 9, 9.
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(1 / 6.0f), Near(2 / 14.0f), Near(3 / 10.0f)));
}

TEST(LRN, RefusesSizesBelowOneAndTakesAnyAbove) {
  OpTester op("LRN");
  op.attributes.Set("size", int64_t{0});
  op.Input<float>({1, 1, 1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("size is 0"));
  op.attributes.Set("size", int64_t{1} << 62);
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(1)));
}

TEST(LpNormalization, DividesByTheNorm) {
  OpTester two("LpNormalization");
  two.Input<float>({1, 2}, {3, 4});
  EXPECT_THAT(two.Run<float>(), ElementsAre(Near(0.6f), Near(0.8f)));
  OpTester one("LpNormalization");
  one.attributes.Set("p", int64_t{1});
  one.attributes.Set("axis", int64_t{0});
  one.Input<float>({2, 2}, {1, 0, -3, 0});
  EXPECT_THAT(one.Run<float>(), ElementsAre(0.25f, 0, -0.75f, 0));
}

TEST(LpNormalization, RefusesOtherNorms) {
  OpTester op("LpNormalization");
  op.attributes.Set("p", int64_t{3});
  op.Input<float>({1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("p is 3"));
}

TEST(MeanVarianceNormalization, NormalizesPerChannelByDefault) {
  OpTester op("MeanVarianceNormalization");
  op.Input<float>({2, 2, 1, 1}, {1, 10, 3, 30});
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(-1), Near(-1), Near(1), Near(1)));
}

TEST(MeanVarianceNormalization, RefusesAxesOutOfRange) {
  OpTester op("MeanVarianceNormalization");
  op.Input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(op.Error().message(), HasSubstr("axis 2"));
}

}  // namespace
}  // namespace tandem::engine
