#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpTester Arg(const std::string& name, int64_t axis) {
  OpTester op(name);
  op.attributes.Set("axis", axis);
  op.Input<float>({2, 3}, {1, 9, 9, 4, 0, 0});
  return op;
}

TEST(ArgMax, TakesTheFirstOfEquals) {
  EXPECT_THAT(Arg("ArgMax", 1).Run<int64_t>(), ElementsAre(1, 0));
  EXPECT_THAT(Arg("ArgMax", 0).Run<int64_t>(), ElementsAre(1, 0, 0));
  EXPECT_EQ(Arg("ArgMax", 0).RunShape(), Shape({1, 3}));
}

TEST(ArgMax, TakesTheLastOfEqualsWhenAsked) {
  OpTester op = Arg("ArgMax", -1);
  op.attributes.Set("select_last_index", int64_t{1});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(2, 0));
}

TEST(ArgMin, DropsTheAxisWhenAsked) {
  OpTester op = Arg("ArgMin", 1);
  op.attributes.Set("keepdims", int64_t{0});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(0, 1));
  EXPECT_EQ(op.RunShape(), Shape({2}));
}

TEST(ArgMax, FindsNan) {
  OpTester op("ArgMax");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  op.Input<float>({4}, {1, nan, 3, nan});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(1));
}

TEST(ArgMax, RefusesAxesThatAreEmptyOrOutOfRange) {
  OpTester empty("ArgMax");
  empty.Input<float>({0, 2}, {});
  EXPECT_THAT(empty.Error().message(), HasSubstr("no elements"));
  EXPECT_THAT(Arg("ArgMax", 2).Error().message(), HasSubstr("axis 2"));
}

OpTester Cumulative(const std::string& name, int64_t axis) {
  OpTester op(name);
  op.Input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).Input<int64_t>({}, {axis});
  return op;
}

TEST(CumSum, RunsAlongAnyAxis) {
  EXPECT_THAT(Cumulative("CumSum", 1).Run<float>(), ElementsAre(1, 3, 6, 4, 9, 15));
  EXPECT_THAT(Cumulative("CumSum", -2).Run<float>(), ElementsAre(1, 2, 3, 5, 7, 9));
}

TEST(CumSum, ExcludesAndReverses) {
  OpTester exclusive = Cumulative("CumSum", 1);
  exclusive.attributes.Set("exclusive", int64_t{1});
  EXPECT_THAT(exclusive.Run<float>(), ElementsAre(0, 1, 3, 0, 4, 9));
  exclusive.attributes.Set("reverse", int64_t{1});
  EXPECT_THAT(exclusive.Run<float>(), ElementsAre(5, 3, 0, 11, 6, 0));
}

TEST(CumProd, Multiplies) {
  EXPECT_THAT(Cumulative("CumProd", 1).Run<float>(), ElementsAre(1, 2, 6, 4, 20, 120));
  OpTester exclusive = Cumulative("CumProd", 1);
  exclusive.attributes.Set("exclusive", int64_t{1});
  EXPECT_THAT(exclusive.Run<float>(), ElementsAre(1, 1, 2, 1, 4, 20));
}

TEST(CumSum, LeavesEmptyTensorsEmpty) {
  OpTester op("CumSum");
  op.attributes.Set("reverse", int64_t{1});
  op.Input<int32_t>({2, 0}, {}).Input<int32_t>({1}, {1});
  EXPECT_EQ(op.RunShape(), Shape({2, 0}));
}

TEST(CumSum, RefusesAnAxisOutOfRangeAlsoWhenItComesLate) {
  OpTester op = Cumulative("CumSum", 2);
  EXPECT_THAT(op.Error().message(), HasSubstr("axis 2"));
  op.known_contents = false;
  EXPECT_THAT(op.Error().message(), HasSubstr("axis 2"));
}

}  // namespace
}  // namespace tandem::engine
