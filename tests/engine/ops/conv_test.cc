#include <numeric>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using Ints = std::vector<int64_t>;

std::vector<float> Iota(int count, float first = 0) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

TEST(Conv, SumsWindows) {
  OpTester op("Conv");
  op.Input<float>({1, 1, 3, 3}, Iota(9)).Input<float>({1, 1, 2, 2}, {1, 1, 1, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(8, 12, 20, 24));
  EXPECT_EQ(op.RunShape(), (Shape{1, 1, 2, 2}));
}

TEST(Conv, PadsAndAddsTheBias) {
  OpTester op("Conv");
  op.attributes.Set("pads", Ints{1, 0});
  op.Input<float>({1, 1, 3}, {1, 2, 3}).Input<float>({1, 1, 2}, {10, 1}).Input<float>({1}, {100});
  EXPECT_THAT(op.Run<float>(), ElementsAre(101, 112, 123));
}

TEST(Conv, StridesAndDilates) {
  OpTester op("Conv");
  op.attributes.Set("strides", Ints{2});
  op.attributes.Set("dilations", Ints{2});
  op.Input<double>({1, 1, 6}, {0, 1, 2, 3, 4, 5}).Input<double>({1, 1, 2}, {1, 10});
  EXPECT_THAT(op.Run<double>(), ElementsAre(20, 42));
}

TEST(Conv, KeepsGroupsApart) {
  OpTester op("Conv");
  op.attributes.Set("group", int64_t{2});
  op.Input<float>({1, 2, 2}, {1, 2, 3, 4}).Input<float>({2, 1, 1}, {10, 100});
  EXPECT_THAT(op.Run<float>(), ElementsAre(10, 20, 300, 400));
}

TEST(Conv, WorksInThreeDimensions) {
  OpTester op("Conv");
  op.Input<float>({1, 1, 2, 2, 2}, Iota(8)).Input<float>({1, 1, 2, 2, 2}, std::vector<float>(8, 1));
  EXPECT_THAT(op.Run<float>(), ElementsAre(28));
}

TEST(Conv, AcceptsAnEmptyBatch) {
  OpTester op("Conv");
  op.Input<float>({0, 1, 3}, {}).Input<float>({1, 1, 2}, {1, 1});
  EXPECT_EQ(op.RunShape(), (Shape{0, 1, 2}));
}

TEST(Conv, RefusesWhatDoesNotFit) {
  const auto error = [](Shape x, Shape w, Attributes attributes = {}) {
    OpTester op("Conv");
    op.attributes = std::move(attributes);
    op.Input(Tensor(DataType::kFloat32, std::move(x))).Input(Tensor(DataType::kFloat32, std::move(w)));
    return op.Error().code();
  };
  constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(error({1, 3, 4}, {1, 2, 2}), kRefused);
  EXPECT_EQ(error({1, 3, 4}, {1, 3, 2, 2}), kRefused);
  EXPECT_EQ(error({1, 3}, {1, 3}), kRefused);
  EXPECT_EQ(error({1, 3, 4}, {1, 3, 5}), kRefused);
  Attributes groups;
  groups.Set("group", int64_t{0});
  EXPECT_EQ(error({1, 3, 4}, {1, 3, 2}, groups), kRefused);
  groups.Set("group", int64_t{2});
  EXPECT_EQ(error({1, 3, 4}, {1, 3, 2}, groups), kRefused);
  Attributes kernel;
  kernel.Set("kernel_shape", Ints{3});
  EXPECT_EQ(error({1, 3, 4}, {1, 3, 2}, kernel), kRefused);
}

TEST(Conv, RefusesIntegers) {
  OpTester op("Conv");
  op.Input<int32_t>({1, 1, 1}, {1}).Input<int32_t>({1, 1, 1}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

TEST(ConvTranspose, SpreadsEachElement) {
  OpTester op("ConvTranspose");
  op.attributes.Set("strides", Ints{2});
  op.Input<float>({1, 1, 2}, {1, 10}).Input<float>({1, 1, 3}, {1, 2, 3}).Input<float>({1}, {100});
  EXPECT_THAT(op.Run<float>(), ElementsAre(101, 102, 113, 120, 130));
}

TEST(ConvTranspose, CropsItsPadding) {
  OpTester op("ConvTranspose");
  op.attributes.Set("pads", Ints{1, 1});
  op.attributes.Set("strides", Ints{2});
  op.Input<float>({1, 1, 2}, {1, 10}).Input<float>({1, 1, 3}, {1, 2, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(2, 13, 20));
}

TEST(ConvTranspose, KeepsGroupsApart) {
  OpTester op("ConvTranspose");
  op.attributes.Set("group", int64_t{2});
  op.Input<float>({1, 2, 1}, {1, 2}).Input<float>({2, 2, 1}, {1, 10, 100, 1000});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 10, 200, 2000));
}

TEST(ConvTranspose, RefusesAHugeGroup) {
  OpTester op("ConvTranspose");
  op.attributes.Set("group", int64_t{1} << 62);
  op.Input<float>({1, 0, 1}, {}).Input<float>({0, 8, 1}, {});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(DeformConv, WithoutOffsetsIsConv) {
  OpTester op("DeformConv");
  op.Input<float>({1, 1, 3, 3}, Iota(9)).Input<float>({1, 1, 2, 2}, {1, 1, 1, 1});
  op.Input<float>({1, 8, 2, 2}, std::vector<float>(32, 0));
  EXPECT_THAT(op.Run<float>(), ElementsAre(8, 12, 20, 24));
}

TEST(DeformConv, SamplesBetweenElementsAndWeighsThem) {
  OpTester op("DeformConv");
  op.Input<float>({1, 1, 1, 2}, {10, 20}).Input<float>({1, 1, 1, 1}, {1});
  op.Input<float>({1, 2, 1, 2}, {0, 0, 0.5f, 0.5f}).Input<float>({1}, {1}).Input<float>({1, 1, 1, 2}, {2, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(31, 11));  // 2 * 15 + 1; half of 20, the other half outside, + 1
}

TEST(DeformConv, SurvivesWildOffsets) {
  OpTester op("DeformConv");
  op.Input<float>({1, 1, 1, 1}, {10}).Input<float>({1, 1, 1, 1}, {1});
  op.Input<float>({1, 2, 1, 1}, {NAN, 1e30f});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0));
}

TEST(DeformConv, RefusesOffsetsOfAnotherShape) {
  OpTester op("DeformConv");
  op.Input<float>({1, 1, 1, 1}, {10}).Input<float>({1, 1, 1, 1}, {1}).Input<float>({1, 1, 1, 1}, {0});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem::engine
