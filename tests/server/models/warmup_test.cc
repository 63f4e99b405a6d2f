#include "server/models/warmup.h"

#include <gtest/gtest.h>

#include <limits>

#include "server/models/batch_proof.h"

namespace tandem::models {
namespace {

using engine::Tensor;
using std::chrono::microseconds;

TEST(CheapestSize, IsTheSmallestThatIsNearlyTheBest) {
  EXPECT_EQ(CheapestSize({{{1, microseconds(100)}, {2, microseconds(110)}, {4, microseconds(130)}}}).rows, 4);
  EXPECT_EQ(CheapestSize({{{1, microseconds(100)}, {2, microseconds(198)}, {4, microseconds(400)}}}).rows, 1);
  EXPECT_EQ(CheapestSize({{{1, microseconds(100)}, {2, microseconds(120)}, {4, microseconds(236)}}}).rows, 2);
}

TEST(RelativeDifference, IsMeasuredAgainstTheLargestMagnitude) {
  const Tensor a = Tensor::Of<float>({2}, {100, 0});
  const Tensor b = Tensor::Of<float>({2}, {100, 0.001f});
  EXPECT_NEAR(RelativeDifference(a, b), 1e-5, 1e-8);
  EXPECT_EQ(RelativeDifference(a, a), 0);
}

TEST(RelativeDifference, TakesNanForNanOnly) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor a = Tensor::Of<float>({2}, {1, nan});
  const Tensor b = Tensor::Of<float>({2}, {1, 2});
  EXPECT_EQ(RelativeDifference(a, a), 0);
  EXPECT_EQ(RelativeDifference(a, b), std::numeric_limits<double>::infinity());
}

TEST(RelativeDifference, WantsIntegersExact) {
  EXPECT_EQ(RelativeDifference(Tensor::Of<int64_t>({1}, {5}), Tensor::Of<int64_t>({1}, {6})), 1);
}

TEST(Concatenate, PutsRowsOneAfterTheOther) {
  const Tensor both = Concatenate(Tensor::Of<float>({1, 2}, {1, 2}), Tensor::Of<float>({2, 2}, {3, 4, 5, 6}));
  EXPECT_EQ(both.shape(), (engine::Shape{3, 2}));
  EXPECT_EQ(both.values<float>()[5], 6);
}

}  // namespace
}  // namespace tandem::models
