#include "server/scheduling/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

#include "tests/server/batching/fake_request.h"

namespace tandem::scheduling {
namespace {

using batching::FakeRequest;
using batching::Queue;
using ::testing::ElementsAre;

class DispatcherTest : public ::testing::Test {
 protected:
  static std::shared_ptr<Queue> MakeQueue(batching::BatchLimits limits = {.max_rows = 4}) {
    return std::make_shared<Queue>(batching::QueueOptions{.name = "q", .batch = limits}, nullptr, 1);
  }
  absl::Status Submit(FakeRequest& request, const std::shared_ptr<Queue>& queue) {
    request.queue = queue;
    request.arrived = Now();
    return dispatcher_.Submit(&request);
  }

  Dispatcher dispatcher_{1, 40};  // requests of 16 bytes: two fit
  std::shared_ptr<Queue> queue_ = MakeQueue();
};

TEST_F(DispatcherTest, HandsOutWhatWasSubmittedAsOneBatch) {
  FakeRequest a(1), b(1);
  ASSERT_TRUE(Submit(a, queue_).ok());
  ASSERT_TRUE(Submit(b, queue_).ok());
  EXPECT_THAT(dispatcher_.Next(0, {}).requests, ElementsAre(&a, &b));
}

TEST_F(DispatcherTest, RefusesWhatExceedsTheBytes) {
  FakeRequest a(1), b(1), c(1);
  ASSERT_TRUE(Submit(a, queue_).ok());
  ASSERT_TRUE(Submit(b, queue_).ok());
  EXPECT_EQ(Submit(c, queue_).code(), absl::StatusCode::kResourceExhausted);
  dispatcher_.Next(0, {});
  EXPECT_TRUE(Submit(c, queue_).ok());
}

TEST_F(DispatcherTest, GivesBackARequestThatWaitsAndItsBytes) {
  FakeRequest a(1), b(1), c(1);
  ASSERT_TRUE(Submit(a, queue_).ok());
  ASSERT_TRUE(Submit(b, queue_).ok());
  EXPECT_TRUE(dispatcher_.Withdraw(&a));
  EXPECT_TRUE(Submit(c, queue_).ok());
  EXPECT_THAT(dispatcher_.Next(0, {}).requests, ElementsAre(&b, &c));
  EXPECT_FALSE(dispatcher_.Withdraw(&b));
}

TEST_F(DispatcherTest, SharesWorkersBetweenQueuesByWorkDone) {
  const auto other = MakeQueue();
  FakeRequest a(4), b(4);
  ASSERT_TRUE(Submit(a, queue_).ok());
  ASSERT_TRUE(Submit(b, other).ok());
  Task first = dispatcher_.Next(0, {});
  EXPECT_THAT(first.requests, ElementsAre(&a));
  FakeRequest more(4);
  ASSERT_TRUE(Submit(more, queue_).ok());
  // The first queue has been given 50 ms, the other nothing.
  first.spent = {.time = std::chrono::milliseconds(50), .rows = 4};
  EXPECT_THAT(dispatcher_.Next(0, std::move(first)).requests, ElementsAre(&b));
}

TEST_F(DispatcherTest, RefusesWhatCouldNotBeAnsweredInTime) {
  const auto queue = MakeQueue({.max_rows = 1, .row_cost = std::chrono::milliseconds(100)});
  FakeRequest first(1), second(1), third(1);
  first.deadline = Now() + std::chrono::milliseconds(1);
  ASSERT_TRUE(Submit(first, queue).ok());  // nothing waits: it is tried
  second.deadline = Now() + std::chrono::milliseconds(250);
  const absl::Status status = Submit(second, queue);  // behind the first and what runs it would take 300 ms
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("an answer would take about 300.0 ms"));
  third.deadline = Now() + std::chrono::seconds(30);
  EXPECT_TRUE(Submit(third, queue).ok());
}

TEST_F(DispatcherTest, PromisesNoMoreThanItsShareBesideOtherQueues) {
  const auto queue = MakeQueue({.max_rows = 1, .row_cost = std::chrono::milliseconds(100)});
  const auto other = MakeQueue({.max_rows = 1, .row_cost = std::chrono::hours(1)});
  FakeRequest first(1), costly(1), second(1);
  first.bytes = costly.bytes = second.bytes = 1;
  ASSERT_TRUE(Submit(first, queue).ok());
  ASSERT_TRUE(Submit(costly, other).ok());
  second.deadline = Now() + std::chrono::milliseconds(350);
  // The first, as much of the other queue, what runs and itself.
  EXPECT_THAT(std::string(Submit(second, queue).message()), ::testing::HasSubstr("would take about 400.0 ms"));
}

TEST_F(DispatcherTest, TakesOutWhatHasWaitedTooLongAtItsMoment) {
  FakeRequest a(1), b(1);
  const Time start = Now();
  a.start_by = start + std::chrono::seconds(10);
  b.start_by = start + std::chrono::seconds(20);
  ASSERT_TRUE(Submit(b, queue_).ok());
  ASSERT_TRUE(Submit(a, MakeQueue()).ok());
  const Dispatcher::Late none = dispatcher_.TakeLate(start + std::chrono::seconds(9));
  EXPECT_TRUE(none.requests.empty());
  EXPECT_EQ(none.next, a.start_by);
  const Dispatcher::Late late = dispatcher_.TakeLate(a.start_by);
  EXPECT_THAT(late.requests, ElementsAre(&a));
  EXPECT_EQ(late.next, b.start_by);
  EXPECT_FALSE(dispatcher_.Withdraw(&a));
  EXPECT_THAT(dispatcher_.TakeLate(b.start_by).requests, ElementsAre(&b));
  EXPECT_TRUE(dispatcher_.Idle());
}

TEST_F(DispatcherTest, TellsWhoWaitsForLateRequestsOfAnEarlierOne) {
  FakeRequest a(1);
  a.start_by = Now() + std::chrono::hours(1);
  std::thread timer([&] { EXPECT_TRUE(dispatcher_.WaitForLate(Time::max())); });
  ASSERT_TRUE(Submit(a, queue_).ok());
  timer.join();
  EXPECT_EQ(dispatcher_.TakeLate(Now()).next, a.start_by);
  dispatcher_.Stop();
  EXPECT_FALSE(dispatcher_.WaitForLate(a.start_by));
}

TEST_F(DispatcherTest, WakesASleepingWorker) {
  FakeRequest a(1);
  Task task;
  std::thread worker([&] { task = dispatcher_.Next(0, {}); });
  ASSERT_TRUE(Submit(a, queue_).ok());
  worker.join();
  EXPECT_THAT(task.requests, ElementsAre(&a));
}

TEST_F(DispatcherTest, WaitsForCompanyAsLongAsTheDelay) {
  const auto patient = MakeQueue({.max_rows = 2, .max_delay = std::chrono::hours(1)});
  FakeRequest a(1), b(1);
  Task task;
  ASSERT_TRUE(Submit(a, patient).ok());
  std::thread worker([&] { task = dispatcher_.Next(0, {}); });
  ASSERT_TRUE(Submit(b, patient).ok());
  worker.join();
  EXPECT_THAT(task.requests, ElementsAre(&a, &b));
}

TEST_F(DispatcherTest, AnIdleWorkerKeepsNoQueueAlive) {
  std::weak_ptr<Queue> alive = queue_;
  {
    FakeRequest a(1);
    ASSERT_TRUE(Submit(a, std::exchange(queue_, nullptr)).ok());
    Task task = dispatcher_.Next(0, {});
    a.queue.reset();
    dispatcher_.Stop();
    task = dispatcher_.Next(0, std::move(task));
  }
  EXPECT_TRUE(alive.expired());
}

TEST_F(DispatcherTest, StopEndsWorkersAndRefusesRequests) {
  std::thread worker([&] { EXPECT_EQ(dispatcher_.Next(0, {}).queue, nullptr); });
  dispatcher_.Stop();
  worker.join();
  FakeRequest a(1);
  EXPECT_EQ(Submit(a, queue_).code(), absl::StatusCode::kUnavailable);
}

TEST_F(DispatcherTest, IsIdleOnlyWhenNothingWaitsOrRuns) {
  FakeRequest a(1), b(1);
  EXPECT_TRUE(dispatcher_.Idle());
  ASSERT_TRUE(Submit(a, queue_).ok());
  EXPECT_FALSE(dispatcher_.Idle());
  EXPECT_TRUE(dispatcher_.Withdraw(&a));
  EXPECT_TRUE(dispatcher_.Idle());
  ASSERT_TRUE(Submit(a, queue_).ok());
  ASSERT_TRUE(Submit(b, queue_).ok());
  Task task = dispatcher_.Next(0, {});
  EXPECT_FALSE(dispatcher_.Idle());
  dispatcher_.Stop();
  dispatcher_.Next(0, std::move(task));
  EXPECT_TRUE(dispatcher_.Idle());
}

}  // namespace
}  // namespace tandem::scheduling
