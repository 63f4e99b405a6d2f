#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> ScatteredTwice(const std::string& reduction) {
  OpTester op("ScatterElements");
  op.attributes.Set("reduction", reduction);
  op.Input<float>({3}, {1, 2, 3}).Input<int64_t>({2}, {1, -2}).Input<float>({2}, {5, 4});
  return op.Run<float>();
}

TEST(ScatterElements, ReducesOntoTheSameElement) {
  EXPECT_THAT(ScatteredTwice("none"), ElementsAre(1, 4, 3));
  EXPECT_THAT(ScatteredTwice("add"), ElementsAre(1, 11, 3));
  EXPECT_THAT(ScatteredTwice("mul"), ElementsAre(1, 40, 3));
  EXPECT_THAT(ScatteredTwice("max"), ElementsAre(1, 5, 3));
  EXPECT_THAT(ScatteredTwice("min"), ElementsAre(1, 2, 3));
}

TEST(ScatterElements, WritesAlongTheAxis) {
  OpTester op("ScatterElements");
  op.attributes.Set("axis", int64_t{1});
  op.Input<int8_t>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({2, 1}, {1, 0}).Input<int8_t>({2, 1}, {8, 9});
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(1, 8, 9, 4));
}

TEST(ScatterElements, WrapsIntegersAround) {
  OpTester op("ScatterElements");
  op.attributes.Set("reduction", std::string("mul"));
  op.Input<int32_t>({1}, {1 << 30}).Input<int64_t>({1}, {0}).Input<int32_t>({1}, {4});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(0));
}

TEST(ScatterElements, RefusesMismatchedUpdatesAndIndices) {
  OpTester shape("ScatterElements");
  shape.Input<float>({3}, {1, 2, 3}).Input<int64_t>({2}, {0, 1}).Input<float>({1}, {5});
  EXPECT_THAT(shape.Error().message(), HasSubstr("updates"));
  OpTester index("ScatterElements");
  index.Input<float>({3}, {1, 2, 3}).Input<int64_t>({1}, {3}).Input<float>({1}, {5});
  EXPECT_THAT(index.Error().message(), HasSubstr("index 3"));
  OpTester reduction("ScatterElements");
  reduction.attributes.Set("reduction", std::string("mean"));
  reduction.Input<float>({3}, {1, 2, 3}).Input<int64_t>({1}, {0}).Input<float>({1}, {5});
  EXPECT_THAT(reduction.Error().message(), HasSubstr("mean"));
}

TEST(ScatterND, WritesRowsByTuples) {
  OpTester op("ScatterND");
  op.Input<float>({3, 2}, {1, 2, 3, 4, 5, 6}).Input<int64_t>({2, 1}, {2, 0}).Input<float>({2, 2}, {7, 8, 9, 10});
  EXPECT_THAT(op.Run<float>(), ElementsAre(9, 10, 3, 4, 7, 8));
  op.attributes.Set("reduction", std::string("add"));
  EXPECT_THAT(op.Run<float>(), ElementsAre(10, 12, 3, 4, 12, 14));
}

TEST(ScatterND, RefusesUpdatesOfAnotherShape) {
  OpTester op("ScatterND");
  op.Input<float>({3}, {1, 2, 3}).Input<int64_t>({1, 1}, {0}).Input<float>({2}, {7, 8});
  EXPECT_THAT(op.Error().message(), HasSubstr("[1] is needed"));
}

OpTester CacheUpdate(const std::string& mode, int64_t index) {
  OpTester op("TensorScatter");
  op.attributes.Set("mode", mode);
  op.Input<float>({1, 3, 1}, {1, 2, 3}).Input<float>({1, 2, 1}, {8, 9}).Input<int64_t>({1}, {index});
  return op;
}

TEST(TensorScatter, WritesFromTheIndexOn) {
  EXPECT_THAT(CacheUpdate("linear", 1).Run<float>(), ElementsAre(1, 8, 9));
  EXPECT_THAT(CacheUpdate("circular", 2).Run<float>(), ElementsAre(9, 2, 8));
}

TEST(TensorScatter, RefusesToWritePastTheCache) {
  EXPECT_THAT(CacheUpdate("linear", 2).Error().message(), HasSubstr("write index 2"));
  EXPECT_FALSE(CacheUpdate("circular", -1).Error().ok());
}

}  // namespace
}  // namespace tandem::engine
