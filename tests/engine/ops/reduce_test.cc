#include <cmath>
#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// [[1, 2, 3], [4, 5, 6]] reduced over `axes`.
OpTester Reduction(const std::string& name, std::vector<int64_t> axes) {
  OpTester op(name);
  op.Input<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Shape shape{static_cast<int64_t>(axes.size())};
  op.Input<int64_t>(shape, std::move(axes));
  return op;
}

TEST(Reduce, FoldsRowsOrAddsThem) {
  EXPECT_THAT(Reduction("ReduceSum", {1}).Run<float>(), ElementsAre(6, 15));
  EXPECT_THAT(Reduction("ReduceSum", {0}).Run<float>(), ElementsAre(5, 7, 9));
  EXPECT_THAT(Reduction("ReduceSum", {-1, 0}).Run<float>(), ElementsAre(21));
}

TEST(Reduce, KeepsReducedAxesUnlessTold) {
  EXPECT_EQ(Reduction("ReduceSum", {1}).RunShape(), Shape({2, 1}));
  OpTester op = Reduction("ReduceSum", {1});
  op.attributes.Set("keepdims", int64_t{0});
  EXPECT_EQ(op.RunShape(), Shape({2}));
}

TEST(Reduce, TakesAllAxesWhenNoneAreGiven) {
  EXPECT_THAT(Reduction("ReduceMean", {}).Run<float>(), ElementsAre(3.5f));
  OpTester absent("ReduceMean");
  absent.Input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(absent.Run<float>(), ElementsAre(2.5f));
  EXPECT_EQ(absent.RunShape(), Shape({1, 1}));
}

TEST(Reduce, AppliesOnlyItsElementwisePartWhenEmptyAxesMeanNone) {
  OpTester op = Reduction("ReduceSumSquare", {});
  op.attributes.Set("noop_with_empty_axes", int64_t{1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 4, 9, 16, 25, 36));
}

TEST(Reduce, HandlesAxesThatAreNotNeighbours) {
  OpTester op("ReduceSum");
  op.Input<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}).Input<int64_t>({2}, {0, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(14, 22));
  OpTester middle("ReduceSum");
  middle.Input<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}).Input<int64_t>({1}, {1});
  EXPECT_THAT(middle.Run<float>(), ElementsAre(4, 6, 12, 14));
}

TEST(Reduce, ComputesEachKind) {
  const auto run = [](const char* name) { return Reduction(name, {1}).Run<float>(); };
  EXPECT_THAT(run("ReduceMean"), ElementsAre(2, 5));
  EXPECT_THAT(run("ReduceMax"), ElementsAre(3, 6));
  EXPECT_THAT(run("ReduceMin"), ElementsAre(1, 4));
  EXPECT_THAT(run("ReduceProd"), ElementsAre(6, 120));
  EXPECT_THAT(run("ReduceSumSquare"), ElementsAre(14, 77));
  EXPECT_THAT(run("ReduceL1"), ElementsAre(6, 15));
  EXPECT_THAT(run("ReduceL2"), ElementsAre(FloatNear(3.7416574f, 1e-6f), FloatNear(8.7749644f, 1e-6f)));
  EXPECT_THAT(run("ReduceLogSum"), ElementsAre(FloatNear(1.7917595f, 1e-6f), FloatNear(2.7080502f, 1e-6f)));
  EXPECT_THAT(run("ReduceLogSumExp"), ElementsAre(FloatNear(3.4076059f, 1e-6f), FloatNear(6.4076059f, 1e-6f)));
}

TEST(Reduce, GivesTheNeutralElementForEmptySets) {
  const auto run = [](const char* name) {
    OpTester op(name);
    op.Input<float>({2, 0}, {}).Input<int64_t>({1}, {1});
    return op.Run<float>();
  };
  EXPECT_THAT(run("ReduceSum"), ElementsAre(0, 0));
  EXPECT_THAT(run("ReduceProd"), ElementsAre(1, 1));
  EXPECT_THAT(run("ReduceMax"), ElementsAre(-kInfinity, -kInfinity));
  EXPECT_THAT(run("ReduceMin"), ElementsAre(kInfinity, kInfinity));
  EXPECT_THAT(run("ReduceLogSumExp"), ElementsAre(-kInfinity, -kInfinity));
}

TEST(Reduce, DividesNothingByNothingForIntegers) {
  OpTester op("ReduceMean");
  op.Input<int32_t>({0}, {});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(0));
}

TEST(Reduce, LeavesScalarsAsTheyAre) {
  OpTester op("ReduceSum");
  op.Input<float>({}, {7});
  EXPECT_THAT(op.Run<float>(), ElementsAre(7));
  EXPECT_EQ(op.RunShape(), Shape());
}

TEST(Reduce, TakesBoolForExtremes) {
  OpTester op("ReduceMax");
  op.Input<bool>({2, 2}, {false, true, false, false}).Input<int64_t>({1}, {1});
  EXPECT_THAT(op.Run<bool>(), ElementsAre(true, false));
}

TEST(ReduceMean, LosesLittleOverLongRows) {
  OpTester op("ReduceMean");
  op.Input<float>({1 << 20}, std::vector<float>(1 << 20, 0.1f));
  // One running sum would be off by 1e-3 here; lanes keep the error at that of short sums.
  EXPECT_THAT(op.Run<float>(), ElementsAre(FloatNear(0.1f, 1e-5f)));
}

TEST(ReduceLogSumExp, DoesNotOverflow) {
  OpTester op("ReduceLogSumExp");
  op.Input<float>({2, 2}, {1000, 1000, -kInfinity, -kInfinity}).Input<int64_t>({1}, {1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(FloatNear(1000.6931f, 1e-3f), -kInfinity));
}

TEST(Reduce, FindsAxesAtRunTime) {
  OpTester op = Reduction("ReduceSum", {0});
  op.known_contents = false;
  EXPECT_THAT(op.Run<float>(), ElementsAre(5, 7, 9));
}

TEST(Reduce, RefusesAxesOutOfRange) {
  EXPECT_THAT(Reduction("ReduceSum", {2}).Error().message(), HasSubstr("axis 2"));
  EXPECT_THAT(Reduction("ReduceSum", {-3}).Error().message(), HasSubstr("axis -3"));
}

TEST(Reduce, RefusesLogarithmsOfIntegers) {
  OpTester op("ReduceLogSum");
  op.Input<int32_t>({1}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace tandem::engine
