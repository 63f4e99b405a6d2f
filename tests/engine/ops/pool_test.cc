#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using Ints = std::vector<int64_t>;

OpTester Pool(const char* name, Ints kernel) {
  OpTester op(name);
  op.attributes.Set("kernel_shape", std::move(kernel));
  return op;
}

TEST(MaxPool, TakesTheLargestAndItsIndex) {
  OpTester op = Pool("MaxPool", {2, 2});
  op.Outputs(2).Input<float>({1, 1, 3, 3}, {1, 9, 2, 3, 4, 5, 8, 7, 6});
  EXPECT_THAT(op.Run<float>(0), ElementsAre(9, 9, 8, 7));
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(1, 1, 6, 7));
}

TEST(MaxPool, CountsIndicesOverAllPlanesAndByColumnOnRequest) {
  OpTester op = Pool("MaxPool", {2, 2});
  op.attributes.Set("storage_order", int64_t{1});
  op.Outputs(2).Input<float>({1, 2, 2, 2}, {0, 1, 0, 0, 0, 0, 1, 0});
  EXPECT_THAT(op.Run<int64_t>(1), ElementsAre(2, 5));
}

TEST(MaxPool, IgnoresPadding) {
  OpTester op = Pool("MaxPool", {2});
  op.attributes.Set("pads", Ints{1, 1});
  op.Input<int8_t>({1, 1, 2}, {-5, -7});
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(-5, -5, -7));
}

TEST(MaxPool, HonorsCeilModeAndDilations) {
  OpTester op = Pool("MaxPool", {2});
  op.attributes.Set("ceil_mode", int64_t{1});
  op.attributes.Set("strides", Ints{2});
  op.attributes.Set("dilations", Ints{2});
  op.Input<uint8_t>({1, 1, 6}, {5, 9, 1, 1, 2, 3});
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(5, 2, 2));
}

TEST(MaxPool, RefusesAMissingKernel) {
  OpTester op("MaxPool");
  op.Input<float>({1, 1, 2}, {1, 2});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(AveragePool, LeavesPaddingOutUnlessAsked) {
  OpTester op = Pool("AveragePool", {2});
  op.attributes.Set("pads", Ints{1, 0});
  op.Input<float>({1, 1, 2}, {4, 6});
  EXPECT_THAT(op.Run<float>(), ElementsAre(4, 5));
  op.attributes.Set("count_include_pad", int64_t{1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(2, 5));
}

TEST(AveragePool, NeverCountsWhatCeilModeReachesBeyondThePadding) {
  OpTester op = Pool("AveragePool", {3});
  op.attributes.Set("ceil_mode", int64_t{1});
  op.attributes.Set("count_include_pad", int64_t{1});
  op.attributes.Set("strides", Ints{2});
  op.Input<double>({1, 1, 4}, {1, 2, 3, 5});
  EXPECT_THAT(op.Run<double>(), ElementsAre(2, 4));
}

TEST(LpPool, TakesTheNormOfWindows) {
  OpTester op = Pool("LpPool", {2});
  op.Input<float>({1, 1, 3}, {3, -4, 0});
  EXPECT_THAT(op.Run<float>(), ElementsAre(5, 4));
  op.attributes.Set("p", int64_t{1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(7, 4));
  op.attributes.Set("p", int64_t{0});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(GlobalPools, ReduceWholePlanes) {
  const auto run = [](const char* name) {
    OpTester op(name);
    op.Input<float>({1, 2, 2, 1}, {3, -4, 1, 1});
    EXPECT_EQ(op.RunShape(), (Shape{1, 2, 1, 1}));
    return op.Run<float>();
  };
  EXPECT_THAT(run("GlobalAveragePool"), ElementsAre(-0.5, 1));
  EXPECT_THAT(run("GlobalMaxPool"), ElementsAre(3, 1));
  EXPECT_THAT(run("GlobalLpPool"), ElementsAre(5, FloatEq(std::sqrt(2.0f))));
}

TEST(MaxUnpool, PutsElementsBack) {
  OpTester op = Pool("MaxUnpool", {2});
  op.attributes.Set("strides", Ints{2});
  op.Input<float>({1, 1, 2}, {5, 6}).Input<int64_t>({1, 1, 2}, {1, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 5, 6, 0));
}

TEST(MaxUnpool, GrowsToTheOutputShape) {
  OpTester op = Pool("MaxUnpool", {1, 2});
  op.attributes.Set("strides", Ints{1, 2});
  op.known_contents = false;
  op.Input<float>({1, 1, 2, 1}, {5, 6}).Input<int64_t>({1, 1, 2, 1}, {1, 2}).Input<int64_t>({4}, {1, 1, 2, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 5, 0, 6, 0, 0));
}

TEST(MaxUnpool, RefusesIndicesOutside) {
  for (const int64_t index : {int64_t{-1}, int64_t{4}}) {
    OpTester op = Pool("MaxUnpool", {2});
    op.attributes.Set("strides", Ints{2});
    op.Input<float>({1, 1, 2}, {5, 6}).Input<int64_t>({1, 1, 2}, {1, index});
    EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace tandem::engine
