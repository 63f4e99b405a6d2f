// The dispatcher with a wide executor: what is handed to it, and what may run beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

#include "server/scheduling/dispatcher.h"
#include "tests/server/batching/fake_request.h"

namespace tandem::scheduling {
namespace {

using batching::FakeRequest;
using batching::Queue;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr int kCores = 2;

class WideExecutorTest : public ::testing::Test {
 protected:
  static std::shared_ptr<Queue> MakeQueue(Duration cost, Duration delay = Duration{0}) {
    const batching::BatchLimits limits{.max_rows = 4, .max_delay = delay, .row_cost = cost};
    const batching::QueueOptions options{
        .name = "q", .batch = limits, .wide = {{.rows = 1, .narrow = cost, .wide = cost / kCores}}};
    return std::make_shared<Queue>(options, nullptr, kCores);
  }
  void Submit(FakeRequest& request, const std::shared_ptr<Queue>& queue, Time when) {
    request.queue = queue;
    request.arrived = when;
    ASSERT_TRUE(dispatcher_.Submit(&request).ok());
  }
  // Nothing was given to the wide executor: it ends when it is told to.
  void ExpectNothingWide() {
    dispatcher_.Stop();
    EXPECT_EQ(dispatcher_.NextWide().queue, nullptr);
  }

  Dispatcher dispatcher_{kCores, 1 << 20, kCores};
  std::shared_ptr<Queue> costly_ = MakeQueue(seconds(10));
  std::shared_ptr<Queue> short_ = MakeQueue(microseconds(100));
  const Time start_ = Now();
};

TEST_F(WideExecutorTest, TakesALoneRequest) {
  FakeRequest a(1);
  Submit(a, costly_, start_);
  EXPECT_THAT(dispatcher_.NextWide().requests, ElementsAre(&a));
}

TEST_F(WideExecutorTest, IsWokenForALoneRequest) {
  FakeRequest a(1);
  Task task;
  std::thread executor([&] { task = dispatcher_.NextWide(); });
  Submit(a, costly_, start_);
  executor.join();
  EXPECT_THAT(task.requests, ElementsAre(&a));
}

TEST_F(WideExecutorTest, HoldsAllItsCoresWhileItRuns) {
  FakeRequest a(1);
  Submit(a, costly_, start_);
  Task task = dispatcher_.NextWide();
  EXPECT_EQ(dispatcher_.CoresNow().busy, kCores);
  EXPECT_FALSE(dispatcher_.HasIdleWorker());
  dispatcher_.FinishWide(std::move(task));
  EXPECT_EQ(dispatcher_.CoresNow().busy, 0);
  EXPECT_TRUE(dispatcher_.Idle());
}

TEST_F(WideExecutorTest, IsNotForSizesThatDoNotPay) {
  FakeRequest two(2);
  Submit(two, costly_, start_);
  EXPECT_THAT(dispatcher_.Next(0, {}).requests, ElementsAre(&two));
  ExpectNothingWide();
}

TEST_F(WideExecutorTest, IsNotForRequestsThatWaitForCompany) {
  FakeRequest a(1);
  Submit(a, MakeQueue(seconds(10), std::chrono::hours(1)), start_);
  ExpectNothingWide();
}

TEST_F(WideExecutorTest, TakesNothingWhileTheBudgetIsLessThanItsCores) {
  dispatcher_.SetCores(kCores - 1);
  FakeRequest a(1);
  Submit(a, costly_, start_);
  EXPECT_THAT(dispatcher_.Next(0, {}).requests, ElementsAre(&a));
  ExpectNothingWide();
}

TEST_F(WideExecutorTest, TakesNothingBesideOtherWork) {
  FakeRequest first(1), second(1);
  Submit(first, costly_, start_);
  Task wide = dispatcher_.NextWide();
  Submit(second, costly_, start_);
  dispatcher_.FinishWide(std::move(wide));
  EXPECT_THAT(dispatcher_.Next(0, {}).requests, ElementsAre(&second));
  ExpectNothingWide();
}

TEST_F(WideExecutorTest, OpensAgainWhenTheServerHasBeenQuiet) {
  const auto queue = MakeQueue(milliseconds(10));
  FakeRequest first(1), second(1), soon(1), later(1);
  Submit(first, queue, start_);
  Submit(second, queue, start_);
  dispatcher_.FinishWide(dispatcher_.NextWide());
  Task task = dispatcher_.Next(0, {});
  Submit(soon, queue, start_ + milliseconds(500));  // the second is late, so this is no crowd
  task = dispatcher_.Next(0, std::move(task));
  EXPECT_THAT(task.requests, ElementsAre(&soon));
  std::thread worker([&] { dispatcher_.Next(0, std::move(task)); });
  while (!dispatcher_.Idle()) std::this_thread::yield();
  Submit(later, queue, start_ + seconds(2));
  EXPECT_THAT(dispatcher_.NextWide().requests, ElementsAre(&later));
  dispatcher_.Stop();
  worker.join();
}

TEST_F(WideExecutorTest, LetsWhatIsShortRunBesideIt) {
  FakeRequest wide(1), costly(1), brief(1);
  Submit(wide, costly_, start_);
  Task task = dispatcher_.NextWide();
  Submit(costly, MakeQueue(seconds(10)), start_);
  Submit(brief, short_, start_);
  EXPECT_THAT(dispatcher_.Next(0, {}).requests, ElementsAre(&brief));
  dispatcher_.FinishWide(std::move(task));
  EXPECT_THAT(dispatcher_.Next(1, {}).requests, ElementsAre(&costly));
}

TEST_F(WideExecutorTest, WakesAWorkerForWhatWaitedUntilItEnded) {
  FakeRequest wide(1), costly(1);
  Submit(wide, costly_, start_);
  Task running = dispatcher_.NextWide(), task;
  std::thread worker([&] { task = dispatcher_.Next(0, {}); });
  Submit(costly, costly_, start_);
  dispatcher_.FinishWide(std::move(running));
  worker.join();
  EXPECT_THAT(task.requests, ElementsAre(&costly));
}

TEST_F(WideExecutorTest, ForgetsModelsAsWorkersDo) {
  const auto* model = reinterpret_cast<const engine::Model*>(this);
  std::thread worker([&] {
    for (int id : {0, 1}) {
      EXPECT_THAT(dispatcher_.Next(id, {}).forget, ElementsAre(model));
    }
    EXPECT_THAT(dispatcher_.NextWide().forget, ElementsAre(model));
    dispatcher_.Stop();
    for (int id : {0, 1}) dispatcher_.Next(id, {});
    dispatcher_.NextWide();
  });
  dispatcher_.Forget(*model);
  worker.join();
}

}  // namespace
}  // namespace tandem::scheduling
