#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// Samples [[1,2],[3,4]] at one point given as x, y.
float Sampled(const std::string& mode, const std::string& padding, float x, float y, bool align_corners = true) {
  OpTester op("GridSample");
  op.attributes.Set("mode", mode);
  op.attributes.Set("padding_mode", padding);
  op.attributes.Set("align_corners", int64_t{align_corners});
  op.Input<float>({1, 1, 2, 2}, {1, 2, 3, 4}).Input<float>({1, 1, 1, 2}, {x, y});
  return op.Run<float>().at(0);
}

TEST(GridSample, InterpolatesBetweenElements) {
  EXPECT_EQ(Sampled("linear", "zeros", 0, 0), 2.5f);
  EXPECT_EQ(Sampled("linear", "zeros", 1, -1), 2);
  EXPECT_EQ(Sampled("nearest", "zeros", 0.9f, 0.9f), 4);
}

TEST(GridSample, PadsOutside) {
  EXPECT_EQ(Sampled("linear", "zeros", 3, 3), 0);
  EXPECT_EQ(Sampled("linear", "border", 3, 3), 4);
  EXPECT_EQ(Sampled("linear", "reflection", 3, -1), 1);  // one width past the last column is the first again
  EXPECT_EQ(Sampled("linear", "zeros", -1, -1, false), 0.25f);
}

TEST(GridSample, BearsAnyCoordinate) {
  for (float bad : {NAN, INFINITY, -INFINITY, 1e30f}) {
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      EXPECT_EQ(Sampled(mode, "zeros", bad, 0), 0) << mode;
      EXPECT_TRUE(std::isfinite(Sampled(mode, "border", bad, 0))) << mode;
      EXPECT_TRUE(std::isfinite(Sampled(mode, "reflection", bad, 0))) << mode;
    }
  }
}

TEST(GridSample, SamplesVolumes) {
  OpTester op("GridSample");
  op.attributes.Set("align_corners", int64_t{1});
  op.Input<float>({1, 1, 2, 1, 2}, {1, 2, 3, 4}).Input<float>({1, 1, 1, 1, 3}, {0, 0, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(3.5f));
}

TEST(GridSample, RefusesAGridOfAnotherRank) {
  OpTester op("GridSample");
  op.Input<float>({1, 1, 2, 2}, {1, 2, 3, 4}).Input<float>({1, 1, 1, 3}, {0, 0, 0});
  EXPECT_THAT(op.Error().message(), HasSubstr("does not fit"));
}

TEST(AffineGrid, AppliesTheMatrixToEvenPositions) {
  OpTester op("AffineGrid");
  op.Input<float>({1, 2, 3}, {2, 0, 1, 0, 1, 0}).Input<int64_t>({4}, {1, 1, 1, 2});
  EXPECT_EQ(op.RunShape(), (Shape{1, 1, 2, 2}));
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 0, 2, 0));
  op.attributes.Set("align_corners", int64_t{1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(-1, 0, 3, 0));
}

TEST(AffineGrid, RefusesAMatrixOfAnotherShape) {
  OpTester op("AffineGrid");
  op.Input<float>({1, 2, 2}, {2, 0, 1, 0}).Input<int64_t>({4}, {1, 1, 1, 2});
  EXPECT_THAT(op.Error().message(), HasSubstr("theta"));
}

}  // namespace
}  // namespace tandem::engine
