#include "server/evidence/bounds.h"

#include <gtest/gtest.h>

#include "tests/server/evidence/simulate.h"

namespace tandem::evidence {
namespace {

TEST(BoundsOf, KnowNothingWithoutSamples) {
  const Bounds bounds = BoundsOf(SequentialTest({.budget = 0.01, .low = -1, .high = 1}, 0.05), 0.05);
  EXPECT_EQ(bounds.lower, -1);
  EXPECT_EQ(bounds.upper, 1);
}

TEST(BoundsOf, HoldTheMeanAndCloseInOnIt) {
  Losses losses(1);
  SequentialTest test({.budget = 0.05}, 0.05);
  double width = 1;
  for (int n : {100, 1'000, 10'000}) {
    while (test.samples() < n) test.Add(losses.Changed(0.02));
    const Bounds bounds = BoundsOf(test, 0.05);
    EXPECT_LE(bounds.lower, 0.02) << n;
    EXPECT_GE(bounds.upper, 0.02) << n;
    EXPECT_LT(bounds.upper - bounds.lower, width) << n;
    width = bounds.upper - bounds.lower;
  }
  EXPECT_LT(width, 0.012);
}

TEST(BoundsOf, PairedLossesAreHeldOnBothSidesOfZero) {
  Losses losses(1);
  SequentialTest test({.budget = 0.01, .low = -1, .high = 1}, 0.05);
  for (int i = 0; i < 10'000; ++i) test.Add(losses.Paired(-0.004, 0.008));
  const Bounds bounds = BoundsOf(test, 0.05);
  EXPECT_LT(bounds.lower, -0.004);
  EXPECT_GT(bounds.upper, -0.004);
  EXPECT_LT(bounds.upper - bounds.lower, 0.012);
}

// The interval and the verdict come from the same bets.
TEST(BoundsOf, AgreeWithTheVerdict) {
  SequentialTest test({.budget = 0.05}, 0.025);
  while (test.verdict() == Verdict::kUndecided) test.Add(0);
  EXPECT_LE(BoundsOf(test, 0.05).upper, 0.05 + 1e-9);
  EXPECT_EQ(BoundsOf(test, 0.05).lower, 0);
}

TEST(BoundsOf, FractionsCountAsSoManyWholeOnes) {
  SequentialTest whole({.budget = 0.05}, 0.05), parts({.budget = 0.05}, 0.05);
  for (int i = 0; i < 1'000; ++i) {
    whole.Add(i % 10 == 0 ? 1 : 0);
    parts.Add(0.1);
  }
  EXPECT_NEAR(BoundsOf(parts, 0.05).upper, BoundsOf(whole, 0.05).upper, 1e-6);
  EXPECT_LE(BoundsOf(parts, 0.05).lower, 0.1);
}

}  // namespace
}  // namespace tandem::evidence
