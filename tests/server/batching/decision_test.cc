#include "server/batching/decision.h"

#include <gtest/gtest.h>

#include <vector>

namespace tandem::batching {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Time kStart{std::chrono::seconds(100)};

QueueView View(int64_t rows, int64_t max_rows, Time oldest = kStart) {
  return {.rows = rows, .full = rows >= max_rows, .oldest = oldest, .limits = {.max_rows = max_rows}};
}

TEST(Decide, RunsWhatWaitsWithoutDelay) {
  const Decision decision = Decide({{View(1, 8)}}, kStart, 1);
  EXPECT_EQ(decision.queue, 0);
  EXPECT_EQ(decision.rows, 1);
}

TEST(Decide, HasNothingToRunWithoutQueues) {
  const Decision decision = Decide({}, kStart, 1);
  EXPECT_EQ(decision.queue, -1);
  EXPECT_EQ(decision.wake_at, Time::max());
}

TEST(Decide, WaitsForCompanyUntilTheDelayIsOver) {
  QueueView view = View(2, 8);
  view.limits.max_delay = milliseconds(2);
  const Decision early = Decide({{view}}, kStart + milliseconds(1), 1);
  EXPECT_EQ(early.queue, -1);
  EXPECT_EQ(early.wake_at, kStart + milliseconds(2));
  EXPECT_EQ(Decide({{view}}, kStart + milliseconds(2), 1).queue, 0);
}

TEST(Decide, DoesNotLetARequestBecomeTooLateForCompany) {
  QueueView view = View(2, 8);
  view.limits.max_delay = milliseconds(200);
  view.latest = kStart + milliseconds(60);
  EXPECT_EQ(Decide({{view}}, kStart, 1).wake_at, kStart + milliseconds(50));
  EXPECT_EQ(Decide({{view}}, kStart + milliseconds(50), 1).queue, 0);
  view.latest = kStart + microseconds(100);
  EXPECT_EQ(Decide({{view}}, kStart, 1).queue, 0);
}

TEST(Decide, DoesNotDelayAFullBatch) {
  QueueView view = View(8, 8);
  view.limits.max_delay = milliseconds(2);
  EXPECT_EQ(Decide({{view}}, kStart, 1).rows, 8);
}

TEST(Decide, CutsToWarmedSizes) {
  EXPECT_EQ(Decide({{View(5, 8)}}, kStart, 1).rows, 4);
  EXPECT_EQ(Decide({{View(20, 12)}}, kStart, 1).rows, 12);
}

TEST(Decide, GivesTheLeastServedQueueItsTurn) {
  QueueView busy = View(8, 8);
  busy.service_time = milliseconds(50);
  QueueView quiet = View(1, 8, kStart + milliseconds(1));
  quiet.service_time = milliseconds(10);
  EXPECT_EQ(Decide({{busy, quiet}}, kStart + milliseconds(2), 1).queue, 1);
}

TEST(Decide, GivesTheOldestItsTurnAmongEqals) {
  EXPECT_EQ(Decide({{View(1, 8, kStart + milliseconds(1)), View(1, 8, kStart)}}, kStart + milliseconds(2), 1).queue, 1);
}

TEST(Decide, SharesCostlyWorkAmongIdleWorkers) {
  QueueView view = View(8, 8);
  view.limits.row_cost = milliseconds(5);
  EXPECT_EQ(Decide({{view}}, kStart, 1).rows, 8);
  EXPECT_EQ(Decide({{view}}, kStart, 2).rows, 4);
  // Another queue is there for the second worker.
  EXPECT_EQ(Decide({{view, View(1, 8, kStart + milliseconds(1))}}, kStart + milliseconds(2), 2).rows, 8);
}

TEST(Decide, KeepsCheapWorkTogether) {
  QueueView view = View(8, 8);
  view.limits.row_cost = microseconds(5);
  EXPECT_EQ(Decide({{view}}, kStart, 2).rows, 8);
}

TEST(Sizes, ArePowersOfTwoAndTheLimit) {
  EXPECT_EQ(SizeDown(7, 12), 4);
  EXPECT_EQ(SizeDown(13, 12), 12);
  EXPECT_EQ(SizeUp(5, 12), 8);
  EXPECT_EQ(SizeUp(9, 12), 12);
  EXPECT_EQ(SizeUp(100, 12), 100);
  EXPECT_EQ(SizeUp(1, 1), 1);
}

TEST(WorthWaking, SparesAWorkerWhenAnotherIsAboutToBeFree) {
  EXPECT_TRUE(WorthWaking(microseconds(5), Time::max(), kStart));
  EXPECT_FALSE(WorthWaking(microseconds(5), kStart + microseconds(10), kStart));
  EXPECT_TRUE(WorthWaking(microseconds(5), kStart + milliseconds(6), kStart));
  EXPECT_TRUE(WorthWaking(milliseconds(5), kStart + microseconds(10), kStart));
  // Overdue: nobody knows when it will be free.
  EXPECT_TRUE(WorthWaking(microseconds(5), kStart - milliseconds(1), kStart));
}

TEST(WorthRunningInline, RunsWhatCostsLessThanHandingItOver) {
  EXPECT_TRUE(WorthRunningInline(microseconds(3), microseconds(1)));
  EXPECT_FALSE(WorthRunningInline(microseconds(30), microseconds(1)));
}

TEST(WorthRunningInline, RunsWhatEndsBeforeTheNextArrival) {
  EXPECT_TRUE(WorthRunningInline(microseconds(30), microseconds(130)));
  EXPECT_FALSE(WorthRunningInline(microseconds(30), microseconds(50)));
}

TEST(WorthRunningInline, KeepsTheReceiverFreeOfLongAndUnknownWork) {
  EXPECT_FALSE(WorthRunningInline(milliseconds(3), std::chrono::seconds(1)));
  EXPECT_FALSE(WorthRunningInline(Duration{0}, std::chrono::seconds(1)));
}

TEST(ArrivalGap, FollowsTheRateAndForgetsPauses) {
  ArrivalGap gap;
  Time now = kStart;
  for (int i = 0; i < 100; ++i) gap.Add(now += microseconds(40));
  EXPECT_NEAR(std::chrono::duration<double>(gap.Add(now += microseconds(40))).count(), 40e-6, 1e-6);
  // However long the pause, a burst is soon taken for one.
  gap.Add(now += std::chrono::hours(1));
  for (int i = 0; i < 60; ++i) gap.Add(now += microseconds(40));
  EXPECT_LT(gap.Add(now += microseconds(40)), microseconds(50));
}

}  // namespace
}  // namespace tandem::batching
