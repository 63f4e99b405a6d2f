#include "server/evidence/sequential_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "tests/server/evidence/simulate.h"

namespace tandem::evidence {
namespace {

constexpr double kAlpha = 0.05;
constexpr Claim kFivePercent{.budget = 0.05};
constexpr Claim kOnePoint{.budget = 0.01, .low = -1, .high = 1};
constexpr Claim kHalfAPoint{.budget = 0.005, .low = -1, .high = 1};

using Draw = std::function<double(Losses&)>;

Draw Changed(double probability) {
  return [=](Losses& losses) { return losses.Changed(probability); };
}
// 2 % of the answers change their rightness, and those that make the loss.
Draw Paired(double loss) {
  return [=](Losses& losses) { return losses.Paired(loss, 0.01); };
}

struct Needed {
  double median = 0, most = 0;  // 95th percentile of samples until the verdict
  int other = 0;                // runs that came to another verdict
};

Needed SamplesUntil(Verdict verdict, const Claim& claim, const Draw& draw, int runs) {
  std::vector<double> samples;
  Needed needed;
  for (int run = 0; run < runs; ++run) {
    Losses losses(static_cast<uint64_t>(run) + 1);
    SequentialTest test(claim, kAlpha);
    while (test.verdict() == Verdict::kUndecided && test.samples() < 60'000) test.Add(draw(losses));
    if (test.verdict() != verdict) ++needed.other;
    samples.push_back(static_cast<double>(test.samples()));
  }
  needed.median = Quantile(samples, 0.5);
  needed.most = Quantile(samples, 0.95);
  return needed;
}

struct Row {
  Draw draw;
  Claim claim;
  Verdict verdict;
  double median, most;
  int runs;
};

// How many samples a verdict takes, as the documentation tells. The tolerance is three standard errors of a median or
// a percentile of so few runs, roughly.
TEST(SequentialTest, DecidesWithinTheDocumentedNumbersOfSamples) {
  const std::vector<Row> rows = {
      {Changed(0), kFivePercent, Verdict::kProven, 120, 120, 1},
      {Changed(0.01), kFivePercent, Verdict::kProven, 170, 350, 200},
      {Changed(0.02), kFivePercent, Verdict::kProven, 350, 730, 200},
      {Changed(0.03), kFivePercent, Verdict::kProven, 870, 2'000, 200},
      {Changed(0.04), kFivePercent, Verdict::kProven, 3'500, 9'600, 100},
      {Changed(0.06), kFivePercent, Verdict::kRejected, 3'900, 10'400, 100},
      {Changed(0.08), kFivePercent, Verdict::kRejected, 450, 1'400, 200},
      {Changed(0.20), kFivePercent, Verdict::kRejected, 29, 76, 200},
      {Paired(0), kOnePoint, Verdict::kProven, 1'850, 4'400, 200},
      {Paired(0.002), kOnePoint, Verdict::kProven, 2'900, 6'900, 100},
      {Paired(-0.002), kOnePoint, Verdict::kProven, 1'400, 2'900, 100},
      {Paired(0), kHalfAPoint, Verdict::kProven, 7'000, 16'000, 60},
      {Paired(0.03), kOnePoint, Verdict::kRejected, 820, 2'200, 100},
  };
  for (const Row& row : rows) {
    const Needed needed = SamplesUntil(row.verdict, row.claim, row.draw, row.runs);
    const double tolerance = row.runs == 1 ? 0.01 : 0.3;
    EXPECT_NEAR(needed.median / row.median, 1, tolerance) << "median of " << row.median;
    EXPECT_NEAR(needed.most / row.most, 1, 1.3 * tolerance) << "95th percentile of " << row.most;
    EXPECT_LE(needed.other, row.runs / 10) << row.median;
  }
}

// At the very edge of the budget a verdict is wrong whichever it is; each may be with a probability of alpha, over all
// looks and all attempts together. 1,000 runs, an attempt after each rejection.
TEST(SequentialTest, IsWrongNoMoreOftenThanItMayAtTheEdgeOfTheBudget) {
  constexpr int kRuns = 1'000, kSamples = 2'000;
  int proven = 0, rejected = 0;
  for (int run = 0; run < kRuns; ++run) {
    Losses losses(static_cast<uint64_t>(run) + 1);
    int attempt = 1;
    bool was_rejected = false;
    SequentialTest test(kFivePercent, AlphaOfAttempt(kAlpha, attempt));
    for (int i = 0; i < kSamples && test.verdict() != Verdict::kProven; ++i) {
      test.Add(losses.Changed(0.05));
      if (test.verdict() != Verdict::kRejected) continue;
      was_rejected = true;
      test = SequentialTest(kFivePercent, AlphaOfAttempt(kAlpha, ++attempt));
    }
    proven += test.verdict() == Verdict::kProven ? 1 : 0;
    rejected += was_rejected ? 1 : 0;
  }
  EXPECT_LE(proven, kAlpha * kRuns);
  EXPECT_LE(rejected, kAlpha * kRuns);
}

TEST(SequentialTest, ProvesALossThatIsNoneWithin5000SamplesIn95PercentOfRuns) {
  const Needed needed = SamplesUntil(Verdict::kProven, kOnePoint, Paired(0), 200);
  EXPECT_LE(needed.most, 5'000);
  EXPECT_LE(needed.other, 10);
}

TEST(SequentialTest, SpendsTheErrorThatIsAllowedOverAllAttempts) {
  double spent = 0;
  for (int attempt = 1; attempt < 40; ++attempt) spent += AlphaOfAttempt(kAlpha, attempt);
  EXPECT_LE(spent, kAlpha);
  EXPECT_EQ(AlphaOfAttempt(kAlpha, 1), kAlpha / 2);
}

TEST(SequentialTest, AVerdictStaysAndTheMeanGoesOn) {
  SequentialTest test(kFivePercent, kAlpha);
  for (int i = 0; i < 200; ++i) test.Add(0);
  ASSERT_EQ(test.verdict(), Verdict::kProven);
  for (int i = 0; i < 200; ++i) test.Add(1);
  EXPECT_EQ(test.verdict(), Verdict::kProven);
  EXPECT_EQ(test.samples(), 400);
  EXPECT_DOUBLE_EQ(test.mean(), 0.5);
}

TEST(SequentialTest, DoesNotOverflowInLongRuns) {
  SequentialTest good(kFivePercent, 1e-300), bad(kFivePercent, 1e-300);
  for (int i = 0; i < 200'000; ++i) {
    good.Add(0);
    bad.Add(1);
  }
  EXPECT_EQ(good.verdict(), Verdict::kProven);
  EXPECT_EQ(bad.verdict(), Verdict::kRejected);
  EXPECT_TRUE(std::isfinite(good.state().above[kBets - 1]));
  EXPECT_TRUE(std::isfinite(bad.state().below[kBets - 1]));
}

TEST(SequentialTest, TakesWhatIsNoNumberForTheWorstAndBoundsTheRest) {
  SequentialTest test(kFivePercent, kAlpha);
  test.Add(std::numeric_limits<double>::quiet_NaN());
  test.Add(7);
  test.Add(-7);
  test.Add(std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(test.mean(), 0.75);
}

TEST(SequentialTest, ABudgetOfNothingIsNeverProvenAndAnyLossRejectsIt) {
  SequentialTest test({.budget = 0}, kAlpha);
  for (int i = 0; i < 100'000; ++i) test.Add(0);
  EXPECT_EQ(test.verdict(), Verdict::kUndecided);
  test.Add(1);
  EXPECT_EQ(test.verdict(), Verdict::kRejected);
}

TEST(SequentialTest, ABudgetOfEverythingIsNeverRejected) {
  SequentialTest test({.budget = 1}, kAlpha);
  for (int i = 0; i < 1'000; ++i) test.Add(1);
  EXPECT_EQ(test.verdict(), Verdict::kUndecided);
}

TEST(SequentialTest, GoesOnFromAStateAsIfNothingHadHappened) {
  Losses losses(1);
  SequentialTest test(kFivePercent, kAlpha);
  for (int i = 0; i < 60; ++i) test.Add(losses.Changed(0.01));
  SequentialTest restored = *SequentialTest::Restore(kFivePercent, kAlpha, test.state());
  for (int i = 0; i < 400; ++i) {
    const double loss = losses.Changed(0.01);
    test.Add(loss);
    restored.Add(loss);
    ASSERT_EQ(test.verdict(), restored.verdict());
  }
  EXPECT_EQ(restored.state().below, test.state().below);
}

TEST(SequentialTest, RefusesStatesThatAreNone) {
  const auto restore = [](const SequentialTest::State& state) {
    return SequentialTest::Restore(kFivePercent, kAlpha, state).status().code();
  };
  EXPECT_EQ(restore({}), absl::StatusCode::kOk);
  EXPECT_EQ(restore({.samples = -1}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(restore({.samples = 3, .positive = 4}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(restore({.samples = 3, .negative = 1}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(restore({.verdict = static_cast<Verdict>(9)}), absl::StatusCode::kInvalidArgument);
  SequentialTest::State state;
  state.above[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(restore(state), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem::evidence
