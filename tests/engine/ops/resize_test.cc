#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

OpTester Scaled(const std::string& mode, std::vector<float> values, float scale) {
  OpTester op("Resize");
  op.attributes.Set("mode", mode);
  const int64_t size = static_cast<int64_t>(values.size());
  op.Input<float>({size}, std::move(values)).AbsentInput().Input<float>({1}, {scale});
  return op;
}

TEST(Resize, NearestRoundsAsAsked) {
  OpTester op = Scaled("nearest", {1, 2}, 2);
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 1, 2, 2));
  op.attributes.Set("coordinate_transformation_mode", std::string("asymmetric"));
  op.attributes.Set("nearest_mode", std::string("ceil"));
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 2, 2));
}

TEST(Resize, NearestMovesAnyType) {
  OpTester op("Resize");
  op.Input<int64_t>({1, 2}, {int64_t{1} << 60, 7}).AbsentInput().AbsentInput().Input<int64_t>({2}, {2, 4});
  EXPECT_THAT(op.Run<int64_t>(),
              ElementsAre(int64_t{1} << 60, int64_t{1} << 60, 7, 7, int64_t{1} << 60, int64_t{1} << 60, 7, 7));
}

TEST(Resize, LinearFollowsTheCoordinateMode) {
  OpTester op = Scaled("linear", {0, 4}, 2);
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 1, 3, 4));
  op.attributes.Set("coordinate_transformation_mode", std::string("asymmetric"));
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 2, 4, 4));
  op.attributes.Set("coordinate_transformation_mode", std::string("align_corners"));
  EXPECT_THAT(op.Run<float>(), Pointwise(FloatNear(1e-6f), {0.0f, 4 / 3.0f, 8 / 3.0f, 4.0f}));  // rounding of thirds
}

TEST(Resize, CubicOvershootsAtEdges) {
  // Keys' kernel with a = -0.75 at distances 1/4, 3/4, 5/4, 7/4: 0.8789, 0.2617, -0.1055, -0.0352.
  EXPECT_THAT(Scaled("cubic", {0, 4}, 2).Run<float>(),
              Pointwise(FloatNear(1e-4f), {-0.421875f, 0.90625f, 3.09375f, 4.421875f}));
}

TEST(Resize, AntialiasAveragesWhenShrinking) {
  OpTester op = Scaled("linear", {0, 4, 8, 12}, 0.5f);
  op.attributes.Set("antialias", int64_t{1});
  // A triangle of half width 2 around 0.5: weights 1/4, 3/4, 3/4, 1/4 on elements -1 to 2, halved.
  EXPECT_THAT(op.Run<float>(), Pointwise(FloatNear(1e-5f), {2.5f, 9.5f}));
}

TEST(Resize, KeepsTheAspectRatio) {
  OpTester op("Resize");
  op.attributes.Set("keep_aspect_ratio_policy", std::string("not_larger"));
  op.Input<float>({2, 4}, std::vector<float>(8)).AbsentInput().AbsentInput().Input<int64_t>({2}, {3, 4});
  EXPECT_EQ(op.RunShape(), (Shape{2, 4}));
  op.attributes.Set("keep_aspect_ratio_policy", std::string("not_smaller"));
  EXPECT_EQ(op.RunShape(), (Shape{3, 6}));
}

TEST(Resize, CropsAndExtrapolates) {
  OpTester op("Resize");
  op.attributes.Set("mode", std::string("linear"));
  op.attributes.Set("coordinate_transformation_mode", std::string("tf_crop_and_resize"));
  op.attributes.Set("extrapolation_value", 9.0f);
  op.Input<float>({3}, {1, 2, 3}).Input<float>({2}, {0.5f, 1.5f}).AbsentInput().Input<int64_t>({1}, {3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(2, 3, 9));
}

TEST(Resize, RoundsIntegersIntoTheirRange) {
  OpTester op("Resize");
  op.attributes.Set("mode", std::string("cubic"));
  op.Input<uint8_t>({2}, {0, 255}).AbsentInput().Input<float>({1}, {2});
  const std::vector<uint8_t> result = op.Run<uint8_t>();
  EXPECT_EQ(result.front(), 0);
  EXPECT_EQ(result.back(), 255);
}

TEST(Resize, TakesEmptyScalesAsAbsent) {
  OpTester op("Resize");
  op.Input<float>({1}, {3}).Input<float>({0}, {}).Input<float>({0}, {}).Input<int64_t>({1}, {2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(3, 3));
}

TEST(Resize, RefusesScalesThatMakeNoSense) {
  EXPECT_THAT(Scaled("linear", {1, 2}, -1).Error().message(), HasSubstr("scale -1"));
  EXPECT_THAT(Scaled("linear", {1, 2}, 1e30f).Error().message(), HasSubstr("too large"));
  EXPECT_THAT(Scaled("spline", {1, 2}, 1).Error().message(), HasSubstr("spline"));
  OpTester none("Resize");
  none.Input<float>({1}, {3});
  EXPECT_THAT(none.Error().message(), HasSubstr("exactly one"));
  OpTester empty("Resize");
  empty.Input<float>({0}, {}).AbsentInput().AbsentInput().Input<int64_t>({1}, {2});
  EXPECT_THAT(empty.Error().message(), HasSubstr("empty axis"));
}

}  // namespace
}  // namespace tandem::engine
