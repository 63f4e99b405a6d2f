#include "engine/quantize/confidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tandem::engine {
namespace {

TEST(ConfidenceTest, ClopperPearsonIsWhatTablesSay) {
  // Zero hits: 1 - 0.05^(1/n). The others from the quantiles of the beta distribution.
  EXPECT_NEAR(ClopperPearson(0, 100, 0.95).upper, 1 - std::pow(0.05, 0.01), 1e-9);
  EXPECT_EQ(ClopperPearson(0, 100, 0.95).lower, 0);
  EXPECT_NEAR(ClopperPearson(5, 100, 0.95).upper, 0.10225, 1e-4);
  EXPECT_NEAR(ClopperPearson(5, 100, 0.95).lower, 0.01991, 1e-4);
  EXPECT_EQ(ClopperPearson(10, 10, 0.95).upper, 1);
  EXPECT_EQ(ClopperPearson(0, 0, 0.95).upper, 1);
}

TEST(ConfidenceTest, DifferencesOfNothingSpanBothSides) {
  const Bounds bounds = DifferenceBounds(0, 0, 200, 0.95);
  EXPECT_NEAR(bounds.upper, 1 - std::pow(0.025, 1.0 / 200), 1e-9);
  EXPECT_NEAR(bounds.lower, -bounds.upper, 1e-12);
}

TEST(ConfidenceTest, BettingHoldsTheMeanAsOftenAsItSays) {
  std::mt19937 random(7);
  std::bernoulli_distribution hit(0.05);
  int missed = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values;
    for (int i = 0; i < 200; ++i) values.push_back(hit(random) ? 0.5 : 0);
    const Bounds bounds = BettingBounds(values, 0, 1, 0.95);
    missed += bounds.upper < 0.025 || bounds.lower > 0.025 ? 1 : 0;
  }
  // Two sides of 5 % each, and these bounds are cautious.
  EXPECT_LE(missed, kTrials / 10);
}

TEST(ConfidenceTest, BettingNarrowsWithSamples) {
  const Bounds few = BettingBounds(std::vector<double>(50, 0.0), 0, 1, 0.95);
  const Bounds many = BettingBounds(std::vector<double>(500, 0.0), 0, 1, 0.95);
  EXPECT_LT(many.upper, few.upper / 4);
  EXPECT_LT(many.upper, 0.02);
}

TEST(ConfidenceTest, ResamplingIsRepeatableAndHoldsTheRatio) {
  const std::vector<double> noise = {1, 2, 3, 4, 5}, signal = {10, 10, 10, 10, 10};
  const Bounds bounds = BootstrapRatio(noise, signal, 0.95, 3);
  EXPECT_LE(bounds.lower, 0.3);
  EXPECT_GE(bounds.upper, 0.3);
  EXPECT_EQ(bounds.upper, BootstrapRatio(noise, signal, 0.95, 3).upper);
}

}  // namespace
}  // namespace tandem::engine
