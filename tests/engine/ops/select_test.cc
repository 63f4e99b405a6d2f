#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TopK, SortsAndPrefersTheFirstOfEquals) {
  OpTester op("TopK");
  op.Input<float>({5}, {1, 3, 2, 3, 0}).Input<int64_t>({1}, {3}).Outputs(2);
  EXPECT_THAT(op.Run<float>(0), ElementsAre(3, 3, 2));
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(1, 3, 2));
  op.attributes.Set("largest", int64_t{0});
  EXPECT_THAT(op.Run<float>(0), ElementsAre(0, 1, 2));
}

TEST(TopK, WorksAlongAnyAxis) {
  OpTester op("TopK");
  op.attributes.Set("axis", int64_t{0});
  op.Input<int32_t>({2, 2}, {1, 4, 3, 2}).Input<int64_t>({1}, {1}).Outputs(2);
  EXPECT_THAT(op.Run<int32_t>(0), ElementsAre(3, 4));
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(1, 0));
}

TEST(TopK, CountsNotANumberAsTheLargest) {
  OpTester op("TopK");
  op.Input<float>({3}, {1, NAN, 2}).Input<int64_t>({1}, {2}).Outputs(2);
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(1, 2));
}

TEST(TopK, RefusesMoreThanThereAre) {
  OpTester op("TopK");
  op.Input<float>({2}, {1, 2}).Input<int64_t>({1}, {3}).Outputs(2);
  EXPECT_THAT(op.Error().message(), HasSubstr("k 3"));
}

TEST(TopK, OfNothingIsEmpty) {
  OpTester op("TopK");
  op.Input<float>({0}, {}).Input<int64_t>({1}, {0}).Outputs(2);
  EXPECT_EQ(op.RunShape(), (Shape{0}));
}

TEST(NonZero, ListsCoordinatesByAxis) {
  OpTester op("NonZero");
  op.Input<float>({2, 2}, {1, 0, 2, 3});
  EXPECT_EQ(op.RunShape(), (Shape{2, 3}));
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(0, 1, 1, 0, 0, 1));
  EXPECT_EQ(OpTester("NonZero").Input<bool>({2}, {false, false}).RunShape(), (Shape{1, 0}));
}

TEST(Unique, SortsOrKeepsTheOrder) {
  OpTester op("Unique");
  op.Input<int64_t>({6}, {2, 1, 1, 3, 4, 3}).Outputs(4);
  EXPECT_THAT(op.Run<int64_t>(0), ElementsAre(1, 2, 3, 4));
  op.attributes.Set("sorted", int64_t{0});
  EXPECT_THAT(op.Run<int64_t>(0), ElementsAre(2, 1, 3, 4));
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(op.Run<int64_t>(2), ElementsAre(0, 1, 1, 2, 3, 2));
  EXPECT_THAT(op.Run<int64_t>(3), ElementsAre(1, 2, 2, 1));
}

TEST(Unique, ComparesSlicesAlongAnAxis) {
  OpTester op("Unique");
  op.attributes.Set("axis", int64_t{1});
  op.Input<float>({2, 3}, {1, 0, 1, 1, 0, 1}).Outputs(2);
  EXPECT_EQ(op.RunShape(), (Shape{2, 2}));
  EXPECT_THAT(op.Run<float>(0), ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(1, 0));
}

TEST(Unique, OfNothingIsEmpty) { EXPECT_EQ(OpTester("Unique").Input<float>({0}, {}).RunShape(), (Shape{0})); }

}  // namespace
}  // namespace tandem::engine
