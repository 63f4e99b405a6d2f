#include <limits>
#include <numeric>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::vector<float> Sliced(int64_t start, int64_t end, int64_t step) {
  OpTester op("Slice");
  op.Input<float>({5}, {0, 1, 2, 3, 4}).Input<int64_t>({1}, {start}).Input<int64_t>({1}, {end});
  op.Input<int64_t>({1}, {0}).Input<int64_t>({1}, {step});
  return op.Run<float>();
}

TEST(Slice, StepsBetweenBounds) {
  EXPECT_THAT(Sliced(1, 4, 2), ElementsAre(1, 3));
  EXPECT_THAT(Sliced(-2, 5, 1), ElementsAre(3, 4));
  EXPECT_THAT(Sliced(-1, -6, -2), ElementsAre(4, 2, 0));
  EXPECT_THAT(Sliced(3, 1, 1), ElementsAre());
}

TEST(Slice, TakesAnyBoundsAndSteps) {
  EXPECT_THAT(Sliced(kMin, kMax, 1), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Sliced(kMax, kMin, -1), ElementsAre(4, 3, 2, 1, 0));
  EXPECT_THAT(Sliced(1, kMax, kMax), ElementsAre(1));
  EXPECT_THAT(Sliced(3, kMin, kMin), ElementsAre(3));
}

TEST(Slice, LeavesAxesAloneThatAreNotNamed) {
  OpTester op("Slice");
  op.known_contents = false;
  op.Input<int8_t>({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7}).Input<int32_t>({1}, {1}).Input<int32_t>({1}, {2});
  op.Input<int32_t>({1}, {-2});
  EXPECT_EQ(op.RunShape(), (Shape{2, 1, 2}));
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(2, 3, 6, 7));
}

TEST(Slice, OfAnEmptyAxisIsEmpty) {
  OpTester op("Slice");
  op.Input<float>({0}, {}).Input<int64_t>({1}, {-1}).Input<int64_t>({1}, {kMin}).Input<int64_t>({1}, {0});
  op.Input<int64_t>({1}, {-1});
  EXPECT_EQ(op.RunShape(), (Shape{0}));
}

TEST(Slice, RefusesAStepOfZeroAndMismatchedLists) {
  OpTester step("Slice");
  step.Input<float>({1}, {0}).Input<int64_t>({1}, {0}).Input<int64_t>({1}, {1}).Input<int64_t>({1}, {0});
  step.Input<int64_t>({1}, {0});
  EXPECT_THAT(step.Error().message(), HasSubstr("step"));
  OpTester lists("Slice");
  lists.Input<float>({1}, {0}).Input<int64_t>({2}, {0, 0}).Input<int64_t>({1}, {1});
  EXPECT_FALSE(lists.Error().ok());
}

TEST(Split, CutsEqualPartsWithTheRestLast) {
  OpTester op("Split");
  op.attributes.Set("num_outputs", int64_t{3});
  op.Input<float>({7}, {0, 1, 2, 3, 4, 5, 6}).Outputs(3);
  EXPECT_THAT(op.Run<float>(0), ElementsAre(0, 1, 2));
  EXPECT_THAT(op.Run<float>(2), ElementsAre(6));
}

TEST(Split, LeavesTheLastPartsEmptyRatherThanNegative) {
  OpTester op("Split");
  op.Input<float>({5}, {0, 1, 2, 3, 4}).Outputs(4);
  EXPECT_THAT(op.Run<float>(2), ElementsAre(4));
  EXPECT_THAT(op.Run<float>(3), ElementsAre());
}

TEST(Split, CutsTheGivenLengths) {
  OpTester op("Split");
  op.attributes.Set("axis", int64_t{1});
  op.Input<float>({2, 3}, {0, 1, 2, 3, 4, 5}).Input<int64_t>({2}, {1, 2}).Outputs(2);
  EXPECT_THAT(op.Run<float>(0), ElementsAre(0, 3));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(1, 2, 4, 5));
}

TEST(Split, RefusesLengthsThatDoNotAddUp) {
  OpTester op("Split");
  op.Input<float>({3}, {0, 1, 2}).Input<int64_t>({2}, {kMax, kMax}).Outputs(2);
  EXPECT_FALSE(op.Error().ok());
  OpTester less("Split");
  less.Input<float>({3}, {0, 1, 2}).Input<int64_t>({2}, {1, 1}).Outputs(2);
  EXPECT_THAT(less.Error().message(), HasSubstr("1 of 3 over"));
}

TEST(Compress, KeepsWhereTheConditionHolds) {
  OpTester rows("Compress");
  rows.attributes.Set("axis", int64_t{0});
  rows.Input<float>({3, 2}, {1, 2, 3, 4, 5, 6}).Input<bool>({3}, {false, true, true});
  EXPECT_EQ(rows.RunShape(), (Shape{2, 2}));
  EXPECT_THAT(rows.Run<float>(), ElementsAre(3, 4, 5, 6));
  OpTester flat("Compress");
  flat.Input<float>({3, 2}, {1, 2, 3, 4, 5, 6}).Input<bool>({2}, {true, false});
  EXPECT_THAT(flat.Run<float>(), ElementsAre(1));
}

}  // namespace
}  // namespace tandem::engine
