#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Shape, GivesTheDimensionsBetweenStartAndEnd) {
  OpTester op("Shape");
  op.Input<float>({2, 3, 1}, std::vector<float>(6));
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(2, 3, 1));
  op.attributes.Set("start", int64_t{-2});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(3, 1));
  op.attributes.Set("end", int64_t{-1});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(3));
}

TEST(Shape, IsEmptyWhenStartIsPastEnd) {
  OpTester op("Shape");
  op.Input<float>({2, 3}, std::vector<float>(6));
  op.attributes.Set("start", int64_t{2});
  op.attributes.Set("end", int64_t{1});
  EXPECT_EQ(op.RunShape(), (Shape{0}));
}

TEST(Size, CountsElements) {
  EXPECT_THAT(OpTester("Size").Input<float>({2, 3}, std::vector<float>(6)).Run<int64_t>(), ElementsAre(6));
  EXPECT_THAT(OpTester("Size").Input<float>({0, 3}, {}).Run<int64_t>(), ElementsAre(0));
}

Shape Reshaped(Shape from, std::vector<int64_t> to, bool allow_zero = false) {
  OpTester op("Reshape");
  op.attributes.Set("allowzero", int64_t{allow_zero});
  op.Input(Tensor(DataType::kFloat32, from)).Input<int64_t>({static_cast<int64_t>(to.size())}, to);
  return op.RunShape();
}

absl::Status ReshapeError(Shape from, std::vector<int64_t> to, bool allow_zero = false) {
  OpTester op("Reshape");
  op.attributes.Set("allowzero", int64_t{allow_zero});
  op.Input(Tensor(DataType::kFloat32, from)).Input<int64_t>({static_cast<int64_t>(to.size())}, to);
  return op.Error();
}

TEST(Reshape, KeepsZerosAndFillsMinusOne) {
  EXPECT_EQ(Reshaped({2, 3, 4}, {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(Reshaped({0, 3}, {3, 0}, true), (Shape{3, 0}));
  EXPECT_EQ(Reshaped({1}, {}), Shape{});
}

TEST(Reshape, MovesTheElements) {
  OpTester op("Reshape");
  op.known_contents = false;
  op.Input<int8_t>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({1}, {4});
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(1, 2, 3, 4));
}

TEST(Reshape, RefusesOtherElementCounts) {
  EXPECT_THAT(ReshapeError({2, 3}, {4}).message(), HasSubstr("cannot reshape [2,3] to [4]"));
  EXPECT_FALSE(ReshapeError({2, 3}, {-1, -1}).ok());
  EXPECT_FALSE(ReshapeError({2, 3}, {-2, -3}).ok());
  EXPECT_FALSE(ReshapeError({2, 3}, {2, 3, 0}).ok());
  EXPECT_FALSE(ReshapeError({0, 3}, {0, -1}, true).ok());
  EXPECT_FALSE(ReshapeError({2, 3}, {int64_t{1} << 62, int64_t{1} << 62}).ok());
}

TEST(Flatten, SplitsTheAxesInTwo) {
  OpTester op("Flatten");
  op.Input(Tensor(DataType::kFloat32, {2, 3, 4}));
  EXPECT_EQ(op.RunShape(), (Shape{2, 12}));
  op.attributes.Set("axis", int64_t{0});
  EXPECT_EQ(op.RunShape(), (Shape{1, 24}));
  op.attributes.Set("axis", int64_t{3});
  EXPECT_EQ(op.RunShape(), (Shape{24, 1}));
  op.attributes.Set("axis", int64_t{4});
  EXPECT_FALSE(op.Error().ok());
}

TEST(Squeeze, DropsTheNamedOrAllUnitAxes) {
  EXPECT_EQ(OpTester("Squeeze").Input(Tensor(DataType::kFloat32, {1, 3, 1})).RunShape(), (Shape{3}));
  OpTester named("Squeeze");
  named.Input(Tensor(DataType::kFloat32, {1, 3, 1})).Input<int64_t>({1}, {-1});
  EXPECT_EQ(named.RunShape(), (Shape{1, 3}));
}

TEST(Squeeze, RefusesLongerAxes) {
  OpTester op("Squeeze");
  op.Input(Tensor(DataType::kFloat32, {1, 3})).Input<int64_t>({1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("axis 1"));
}

TEST(Unsqueeze, InsertsAxesWhereTheOutputHasThem) {
  OpTester op("Unsqueeze");
  op.Input(Tensor(DataType::kFloat32, {3, 4})).Input<int64_t>({2}, {-1, 0});
  EXPECT_EQ(op.RunShape(), (Shape{1, 3, 4, 1}));
}

TEST(Unsqueeze, RefusesAnAxisTwice) {
  OpTester op("Unsqueeze");
  op.Input(Tensor(DataType::kFloat32, {3})).Input<int64_t>({2}, {0, -3});
  EXPECT_THAT(op.Error().message(), HasSubstr("twice"));
}

}  // namespace
}  // namespace tandem::engine
