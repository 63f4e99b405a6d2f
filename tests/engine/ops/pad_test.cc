#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> Padded(const std::string& mode, std::vector<float> values, int64_t before, int64_t after) {
  OpTester op("Pad");
  op.attributes.Set("mode", mode);
  const int64_t size = static_cast<int64_t>(values.size());
  op.Input<float>({size}, std::move(values)).Input<int64_t>({2}, {before, after});
  return op.Run<float>();
}

TEST(Pad, PutsAConstantAround) {
  OpTester op("Pad");
  op.Input<float>({1, 2}, {1, 2}).Input<int64_t>({4}, {1, 0, 0, 1}).Input<float>({}, {9});
  EXPECT_EQ(op.RunShape(), (Shape{2, 3}));
  EXPECT_THAT(op.Run<float>(), ElementsAre(9, 9, 9, 1, 2, 9));
}

TEST(Pad, ReflectsRepeatsEdgesAndWraps) {
  EXPECT_THAT(Padded("reflect", {1, 2, 3}, 2, 1), ElementsAre(3, 2, 1, 2, 3, 2));
  EXPECT_THAT(Padded("edge", {1, 2, 3}, 2, 1), ElementsAre(1, 1, 1, 2, 3, 3));
  EXPECT_THAT(Padded("wrap", {1, 2, 3}, 2, 1), ElementsAre(2, 3, 1, 2, 3, 1));
}

TEST(Pad, GoesOnPastTheFirstReflection) {
  EXPECT_THAT(Padded("reflect", {1, 2, 3}, 5, 0), ElementsAre(2, 1, 2, 3, 2, 1, 2, 3));
  EXPECT_THAT(Padded("reflect", {7}, 2, 0), ElementsAre(7, 7, 7));
  EXPECT_THAT(Padded("wrap", {1, 2}, 0, 3), ElementsAre(1, 2, 1, 2, 1));
}

TEST(Pad, CropsByNegativeAmounts) {
  EXPECT_THAT(Padded("constant", {1, 2, 3}, -1, 1), ElementsAre(2, 3, 0));
  EXPECT_THAT(Padded("edge", {1, 2, 3}, 1, -1), ElementsAre(1, 1, 2));
  EXPECT_THAT(Padded("constant", {1, 2}, -5, 5), ElementsAre(0, 0));
}

TEST(Pad, PadsTheNamedAxesOnly) {
  OpTester op("Pad");
  op.Input<int8_t>({2, 1}, {1, 2}).Input<int64_t>({2}, {1, 0}).AbsentInput().Input<int64_t>({1}, {-1});
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(0, 1, 0, 2));
}

TEST(Pad, RefusesWhatLeavesNothingOrHasNoSource) {
  OpTester negative("Pad");
  negative.Input<float>({2}, {1, 2}).Input<int64_t>({2}, {-2, -1});
  EXPECT_THAT(negative.Error().message(), HasSubstr("leave nothing"));
  OpTester empty("Pad");
  empty.attributes.Set("mode", std::string("edge"));
  empty.Input<float>({0}, {}).Input<int64_t>({2}, {1, 0});
  EXPECT_THAT(empty.Error().message(), HasSubstr("nothing left"));
}

TEST(CenterCropPad, CropsAndPadsAroundTheCenter) {
  OpTester op("CenterCropPad");
  op.Input<float>({4, 1}, {1, 2, 3, 4}).Input<int64_t>({2}, {1, 4});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 2, 0, 0));
  op.attributes.Set("axes", std::vector<int64_t>{0});
  EXPECT_FALSE(op.Error().ok());
}

}  // namespace
}  // namespace tandem::engine
