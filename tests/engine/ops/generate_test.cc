#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Expand, RepeatsUnitAxes) {
  OpTester op("Expand");
  op.Input<uint8_t>({2, 1}, {1, 2}).Input<int64_t>({3}, {2, 1, 2});
  EXPECT_EQ(op.RunShape(), (Shape{2, 2, 2}));
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
}

TEST(Expand, RefusesShapesThatDoNotBroadcast) {
  OpTester op("Expand");
  op.Input<float>({2}, {1, 2}).Input<int64_t>({1}, {3});
  EXPECT_THAT(op.Error().message(), HasSubstr("broadcast"));
}

TEST(ConstantOfShape, FillsWithTheValueOrZero) {
  OpTester zeros("ConstantOfShape");
  zeros.Input<int64_t>({1}, {2});
  EXPECT_THAT(zeros.Run<float>(), ElementsAre(0, 0));
  zeros.attributes.Set("value", Tensor::Of<int64_t>({1}, {7}));
  EXPECT_THAT(zeros.Run<int64_t>(), ElementsAre(7, 7));
}

TEST(ConstantOfShape, RefusesWhatIsTooLarge) {
  OpTester op("ConstantOfShape");
  op.Input<int64_t>({3}, {1 << 20, 1 << 20, 1 << 20});
  EXPECT_THAT(op.Error().message(), HasSubstr("elements"));
}

TEST(Range, CountsUpAndDown) {
  OpTester up("Range");
  up.Input<float>({}, {1}).Input<float>({}, {2}).Input<float>({}, {0.4f});
  EXPECT_THAT(up.Run<float>(), ElementsAre(1, 1.4f, 1.8f));
  OpTester down("Range");
  down.Input<int16_t>({}, {5}).Input<int16_t>({}, {-2}).Input<int16_t>({}, {-3});
  EXPECT_THAT(down.Run<int16_t>(), ElementsAre(5, 2, -1));
}

TEST(Range, IsExactAtTheEndOfTheType) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  OpTester op("Range");
  op.Input<int64_t>({}, {kMax - 5}).Input<int64_t>({}, {kMax}).Input<int64_t>({}, {2});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(kMax - 5, kMax - 3, kMax - 1));
}

TEST(Range, RefusesEndlessRanges) {
  OpTester zero("Range");
  zero.Input<int64_t>({}, {0}).Input<int64_t>({}, {1}).Input<int64_t>({}, {0});
  EXPECT_THAT(zero.Error().message(), HasSubstr("delta"));
  OpTester infinite("Range");
  infinite.Input<float>({}, {0}).Input<float>({}, {INFINITY}).Input<float>({}, {1});
  EXPECT_THAT(infinite.Error().message(), HasSubstr("too long"));
}

TEST(EyeLike, SetsTheDiagonalK) {
  OpTester op("EyeLike");
  op.Input<float>({2, 3}, std::vector<float>(6));
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 0, 0, 0, 1, 0));
  op.attributes.Set("k", int64_t{-1});
  op.attributes.Set("dtype", int64_t{7});  // int64
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(0, 0, 0, 1, 0, 0));
  op.attributes.Set("k", std::numeric_limits<int64_t>::min());
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(OneHot, SwitchesOnWithinTheDepthOnly) {
  OpTester op("OneHot");
  op.Input<int64_t>({3}, {1, -1, 5}).Input<int64_t>({1}, {3}).Input<float>({2}, {0, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 2, 0, 0, 0, 2, 0, 0, 0));
  op.attributes.Set("axis", int64_t{0});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 0, 0, 2, 0, 0, 0, 2, 0));
}

TEST(OneHot, RefusesANegativeDepth) {
  OpTester op("OneHot");
  op.Input<int64_t>({1}, {1}).Input<int64_t>({1}, {-3}).Input<float>({2}, {0, 2});
  EXPECT_THAT(op.Error().message(), HasSubstr("depth -3"));
}

}  // namespace
}  // namespace tandem::engine
