#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Three boxes, the second nearly the first.
OpTester Suppress(std::vector<float> scores, int64_t max_boxes, float overlap) {
  OpTester op("NonMaxSuppression");
  op.Input<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 5, 5, 6, 6}).Input<float>({1, 1, 3}, std::move(scores));
  op.Input<int64_t>({1}, {max_boxes}).Input<float>({1}, {overlap});
  return op;
}

TEST(NonMaxSuppression, DropsBoxesThatOverlapABetterOne) {
  EXPECT_THAT(Suppress({0.8f, 0.9f, 0.1f}, 3, 0.5f).Run<int64_t>(), ElementsAre(0, 0, 1, 0, 0, 2));
  EXPECT_THAT(Suppress({0.8f, 0.9f, 0.1f}, 3, 0.9f).Run<int64_t>(), ElementsAre(0, 0, 1, 0, 0, 0, 0, 0, 2));
}

TEST(NonMaxSuppression, StopsAtTheLimitAndTheThreshold) {
  EXPECT_THAT(Suppress({0.8f, 0.9f, 0.1f}, 1, 0.5f).Run<int64_t>(), ElementsAre(0, 0, 1));
  EXPECT_EQ(Suppress({0.8f, 0.9f, 0.1f}, 0, 0.5f).RunShape(), (Shape{0, 3}));
  OpTester op = Suppress({0.8f, 0.9f, 0.1f}, 3, 0.5f);
  op.Input<float>({1}, {0.5f});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(0, 0, 1));
}

TEST(NonMaxSuppression, TakesCornersInAnyOrder) {
  OpTester op("NonMaxSuppression");
  op.Input<float>({1, 2, 4}, {1, 1, 0, 0, 0, 0, 1, 1}).Input<float>({1, 1, 2}, {0.5f, 0.6f});
  op.Input<int64_t>({}, {5}).Input<float>({}, {0.5f});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(0, 0, 1));
}

TEST(NonMaxSuppression, NeverSelectsAScoreThatIsNoNumber) {
  EXPECT_THAT(Suppress({NAN, 0.9f, NAN}, 3, 0.5f).Run<int64_t>(), ElementsAre(0, 0, 1));
}

TEST(NonMaxSuppression, RefusesShapesAndThresholdsThatDoNotFit) {
  EXPECT_THAT(Suppress({1, 1, 1}, 3, 2.0f).Error().message(), HasSubstr("iou_threshold 2"));
  OpTester op("NonMaxSuppression");
  op.Input<float>({1, 2, 4}, std::vector<float>(8)).Input<float>({1, 1, 3}, {1, 2, 3});
  EXPECT_THAT(op.Error().message(), HasSubstr("[N,B,4]"));
}

}  // namespace
}  // namespace tandem::engine
