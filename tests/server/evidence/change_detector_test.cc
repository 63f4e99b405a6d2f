#include "server/evidence/change_detector.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/server/evidence/simulate.h"

namespace tandem::evidence {
namespace {

constexpr Claim kFivePercent{.budget = 0.05};
constexpr double kRunLength = 100'000;

// Samples of this share of changed answers until the alarm, after `before` good ones.
int64_t Delay(double changed, int64_t before, uint64_t seed, double run_length = kRunLength) {
  Losses losses(seed);
  ChangeDetector detector(kFivePercent, run_length);
  for (int64_t i = 0; i < before; ++i) detector.Add(losses.Changed(0.01));
  EXPECT_FALSE(detector.alarm());
  while (!detector.alarm() && detector.samples() < before + 200'000) detector.Add(losses.Changed(changed));
  return detector.samples() - before;
}

TEST(ChangeDetector, NoticesDamageSoonHoweverLongAllWasWell) {
  for (int64_t before : {0, 100, 50'000}) {
    EXPECT_LE(Delay(1.0, before, 1), 10) << before;
    EXPECT_LE(Delay(0.3, before, 1), 100) << before;
    EXPECT_LE(Delay(0.1, before, 1), 2'000) << before;
  }
}

TEST(ChangeDetector, HardlyEverRaisesAFalseAlarmWellWithinTheBudget) {
  Losses losses(1);
  ChangeDetector detector(kFivePercent, kRunLength);
  for (int i = 0; i < 500'000; ++i) detector.Add(losses.Changed(0.03));
  EXPECT_FALSE(detector.alarm());
}

// A smaller run length than the server's, so that there is something to count.
TEST(ChangeDetector, FalseAlarmsAtTheBudgetAreRarerThanTheRunLength) {
  constexpr int kRuns = 100;
  double total = 0;
  for (int run = 0; run < kRuns; ++run) {
    total += static_cast<double>(Delay(0.05, 0, static_cast<uint64_t>(run) + 1, 500));
  }
  EXPECT_GE(total / kRuns, 500);
}

TEST(ChangeDetector, AnAlarmStaysUntilItIsReset) {
  ChangeDetector detector(kFivePercent, kRunLength);
  for (int i = 0; i < 20; ++i) detector.Add(1);
  for (int i = 0; i < 1'000; ++i) detector.Add(0);
  EXPECT_TRUE(detector.alarm());
  detector.Reset();
  EXPECT_FALSE(detector.alarm());
  EXPECT_EQ(detector.samples(), 0);
}

TEST(ChangeDetector, DoesNotOverflow) {
  ChangeDetector detector(kFivePercent, std::numeric_limits<double>::max());
  for (int i = 0; i < 100'000; ++i) detector.Add(1);
  EXPECT_TRUE(detector.alarm());
}

TEST(ChangeDetector, GoesOnFromAStateAndRefusesWhatIsNone) {
  ChangeDetector detector(kFivePercent, kRunLength);
  for (int i = 0; i < 4; ++i) detector.Add(1);
  ChangeDetector restored = *ChangeDetector::Restore(kFivePercent, kRunLength, detector.state());
  while (!detector.alarm()) {
    detector.Add(1);
    restored.Add(1);
    ASSERT_EQ(detector.alarm(), restored.alarm());
  }
  ChangeDetector::State state = detector.state();
  state.log_next[0] = -1;
  EXPECT_FALSE(ChangeDetector::Restore(kFivePercent, kRunLength, state).ok());
  EXPECT_FALSE(ChangeDetector::Restore(kFivePercent, kRunLength, {.samples = -1}).ok());
}

}  // namespace
}  // namespace tandem::evidence
