#include "server/batching/wide.h"

#include <gtest/gtest.h>

namespace tandem::batching {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WideCost kCost{.rows = 1, .narrow = milliseconds(8), .wide = milliseconds(5)};
constexpr Time kStart{std::chrono::hours(1)};

TEST(PaysWide, WantsAQuarterOfTheTimeSaved) {
  EXPECT_TRUE(PaysWide({.narrow = milliseconds(8), .wide = milliseconds(6)}));
  EXPECT_FALSE(PaysWide({.narrow = milliseconds(8), .wide = milliseconds(7)}));
}

TEST(PaysWide, IsNotForShortWork) {
  EXPECT_FALSE(PaysWide({.narrow = microseconds(200), .wide = microseconds(100)}));
  EXPECT_TRUE(PaysWide({.narrow = microseconds(400), .wide = microseconds(200)}));
}

TEST(PaysWide, IsFalseForWhatWasNotMeasured) { EXPECT_FALSE(PaysWide({})); }

TEST(MayRunBesideWide, IsForBatchesKnownToBeShort) {
  EXPECT_TRUE(MayRunBesideWide({.rows = 3, .limits = {.row_cost = microseconds(100)}}));
  EXPECT_FALSE(MayRunBesideWide({.rows = 4, .limits = {.row_cost = microseconds(100)}}));
  EXPECT_FALSE(MayRunBesideWide({.rows = 1}));
}

TEST(WideGate, IsOpenAtFirst) { EXPECT_TRUE(WideGate().Open(kStart, kCost)); }

TEST(WideGate, StaysShutForASecondAfterACrowd) {
  WideGate gate;
  gate.Crowded(kStart);
  EXPECT_FALSE(gate.Open(kStart + milliseconds(999), kCost));
  EXPECT_TRUE(gate.Open(kStart + seconds(1), kCost));
}

TEST(WideGate, StaysShutForLongerWhereARunIsLong) {
  WideGate gate;
  gate.Crowded(kStart);
  const WideCost cost{.rows = 1, .narrow = milliseconds(80), .wide = milliseconds(50)};
  EXPECT_FALSE(gate.Open(kStart + milliseconds(4999), cost));
  EXPECT_TRUE(gate.Open(kStart + seconds(5), cost));
}

TEST(WideGate, StaysOpenAfterOneSlowRun) {
  WideGate gate;
  gate.Ran(kStart, milliseconds(9), kCost);
  EXPECT_TRUE(gate.Open(kStart, kCost));
}

TEST(WideGate, PausesTwiceAsLongAfterEachFurtherRunThatWasSlowerThanOneCore) {
  WideGate gate;
  gate.Ran(kStart, milliseconds(9), kCost);
  gate.Ran(kStart, milliseconds(9), kCost);
  EXPECT_FALSE(gate.Open(kStart + milliseconds(1999), kCost));
  EXPECT_TRUE(gate.Open(kStart + seconds(2), kCost));
  gate.Ran(kStart, milliseconds(9), kCost);
  EXPECT_FALSE(gate.Open(kStart + milliseconds(3999), kCost));
  for (int i = 0; i < 20; ++i) gate.Ran(kStart, milliseconds(9), kCost);
  EXPECT_TRUE(gate.Open(kStart + seconds(64), kCost));
}

TEST(WideGate, ForgetsSlowRunsAfterAFastOne) {
  WideGate gate;
  gate.Ran(kStart, milliseconds(9), kCost);
  gate.Ran(kStart, milliseconds(9), kCost);
  gate.Ran(kStart + seconds(2), milliseconds(5), kCost);
  gate.Crowded(kStart + seconds(3));
  EXPECT_TRUE(gate.Open(kStart + seconds(4), kCost));
}

}  // namespace
}  // namespace tandem::batching
