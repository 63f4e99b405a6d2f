#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Col2Im, AddsWhatOverlaps) {
  OpTester op("Col2Im");
  // Blocks of two at places 0 and 1 of a row of three.
  op.Input<float>({1, 2, 2}, {1, 2, 10, 20}).Input<int64_t>({2}, {1, 3}).Input<int64_t>({2}, {1, 2});
  EXPECT_EQ(op.RunShape(), (Shape{1, 1, 1, 3}));
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 12, 20));
}

TEST(Col2Im, DropsWhatFallsOnThePadding) {
  OpTester op("Col2Im");
  op.attributes.Set("pads", std::vector<int64_t>{0, 1, 0, 1});
  op.Input<float>({1, 2, 4}, {1, 2, 3, 4, 10, 20, 30, 40}).Input<int64_t>({2}, {1, 3}).Input<int64_t>({2}, {1, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(12, 23, 34));
}

TEST(Col2Im, RefusesAnotherNumberOfPlaces) {
  OpTester op("Col2Im");
  op.Input<float>({1, 2, 3}, std::vector<float>(6)).Input<int64_t>({2}, {1, 3}).Input<int64_t>({2}, {1, 2});
  EXPECT_THAT(op.Error().message(), HasSubstr("[1,2]"));
  op.attributes.Set("strides", std::vector<int64_t>{0, 1});
  EXPECT_THAT(op.Error().message(), HasSubstr("strides 0"));
}

}  // namespace
}  // namespace tandem::engine
