#include "server/batching/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/server/batching/fake_request.h"

namespace tandem::batching {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kStart{seconds(100)};

class QueueTest : public ::testing::Test {
 protected:
  void Push(FakeRequest& request, Time arrived, uint64_t priority = 0) {
    request.arrived = arrived;
    request.priority = priority;
    ASSERT_TRUE(queue_.Push(&request).ok());
  }
  std::vector<Request*> Cut(Time now = kStart) { return queue_.Cut(4, now); }

  Queue queue_{{.name = "model \"m\" version 1", .max_requests = 3, .batch = {.max_rows = 4}}, nullptr, 1};
};

TEST_F(QueueTest, RefusesMoreThanItsLimit) {
  FakeRequest a(1), b(1), c(1), d(1);
  for (FakeRequest* request : {&a, &b, &c}) ASSERT_TRUE(queue_.Push(request).ok());
  const absl::Status status = queue_.Push(&d);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model \"m\" version 1"));
}

TEST_F(QueueTest, CutsTheOldestFirst) {
  FakeRequest a(1), b(2), c(2);
  for (FakeRequest* request : {&a, &b, &c}) ASSERT_TRUE(queue_.Push(request).ok());
  EXPECT_EQ(queue_.View().rows, 3);
  EXPECT_FALSE(queue_.View().full);
  EXPECT_THAT(Cut(), ElementsAre(&a, &b));
  EXPECT_THAT(Cut(), ElementsAre(&c));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(QueueTest, DoesNotMixShapesAndKeepsTheirOrder) {
  FakeRequest a(1, {4}), b(1, {5}), c(1, {4});
  for (FakeRequest* request : {&a, &b, &c}) ASSERT_TRUE(queue_.Push(request).ok());
  EXPECT_EQ(queue_.View().rows, 2);
  EXPECT_THAT(Cut(), ElementsAre(&a, &c));
  EXPECT_THAT(Cut(), ElementsAre(&b));
}

TEST_F(QueueTest, RunsALargeRequestAlone) {
  FakeRequest a(9), b(1);
  for (FakeRequest* request : {&a, &b}) ASSERT_TRUE(queue_.Push(request).ok());
  EXPECT_TRUE(queue_.View().full);
  EXPECT_THAT(Cut(), ElementsAre(&a));
}

TEST_F(QueueTest, ServesHigherPrioritiesFirst) {
  FakeRequest unset(4), low(4), high(4);
  Push(unset, kStart);
  Push(low, kStart + milliseconds(1), 2);
  Push(high, kStart + milliseconds(2), 1);
  EXPECT_THAT(Cut(), ElementsAre(&high));
  EXPECT_THAT(Cut(), ElementsAre(&low));
  EXPECT_THAT(Cut(), ElementsAre(&unset));
}

TEST_F(QueueTest, KeepsTheOrderOfArrivalWithinAPriority) {
  FakeRequest a(4), b(4), c(4);
  Push(a, kStart, 3);
  Push(b, kStart, 3);
  Push(c, kStart + milliseconds(1), 3);
  EXPECT_THAT(Cut(), ElementsAre(&a));
  EXPECT_THAT(Cut(), ElementsAre(&b));
}

TEST_F(QueueTest, StarvesNobody) {
  FakeRequest patient(4), early(4), late(4);
  Push(patient, kStart);
  Push(early, kStart + seconds(8), 1);
  Push(late, kStart + seconds(10), 1);
  EXPECT_THAT(Cut(), ElementsAre(&early));
  EXPECT_THAT(Cut(), ElementsAre(&patient));
  EXPECT_THAT(Cut(), ElementsAre(&late));
}

TEST_F(QueueTest, HasNoPriorityBelowTheTenth) {
  FakeRequest unset(4), lowest(4);
  Push(unset, kStart);
  Push(lowest, kStart, UINT64_MAX);
  EXPECT_THAT(Cut(), ElementsAre(&unset));
}

TEST_F(QueueTest, MixesPrioritiesInABatch) {
  FakeRequest low(1), high(1);
  Push(low, kStart);
  Push(high, kStart + milliseconds(1), 1);
  // The oldest one decides how long company is waited for, wherever it stands.
  EXPECT_EQ(queue_.View().oldest, kStart);
  EXPECT_THAT(Cut(), ElementsAre(&high, &low));
}

TEST_F(QueueTest, TellsWhenTheFirstBecomesTooLate) {
  FakeRequest a(1), b(1);
  Push(a, kStart);
  EXPECT_EQ(queue_.View().latest, Time::max());
  b.start_by = kStart + milliseconds(5);
  Push(b, kStart);
  EXPECT_EQ(queue_.View().latest, b.start_by);
}

TEST_F(QueueTest, HandsOutWhatIsTooLateWhereverItStands) {
  FakeRequest a(4), b(4), late(1);
  late.start_by = kStart + milliseconds(5);
  for (FakeRequest* request : {&a, &b, &late}) Push(*request, kStart);
  EXPECT_THAT(Cut(kStart + milliseconds(4)), ElementsAre(&a));
  EXPECT_THAT(Cut(kStart + milliseconds(5)), ElementsAre(&late, &b));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(QueueTest, HandsOutWhatIsTooLateEvenIfNothingElseWaits) {
  FakeRequest late(1), later(1);
  late.start_by = later.start_by = kStart + milliseconds(5);
  Push(late, kStart);
  Push(later, kStart);
  EXPECT_TRUE(queue_.Remove(&later));
  EXPECT_THAT(Cut(kStart + seconds(1)), ElementsAre(&late));
}

TEST_F(QueueTest, GivesBackOnlyWhatWaits) {
  FakeRequest a(1);
  ASSERT_TRUE(queue_.Push(&a).ok());
  EXPECT_TRUE(queue_.Remove(&a));
  EXPECT_FALSE(queue_.Remove(&a));
}

TEST_F(QueueTest, PromisesByWhatRowsTookLately) {
  FakeRequest a(2), b(1), urgent(1);
  Push(a, kStart);
  b.arrived = kStart + milliseconds(1);
  EXPECT_EQ(queue_.Promise(b, 2, Duration{0}), Duration{0});  // nothing is known
  queue_.Charge(milliseconds(8), 2);
  EXPECT_EQ(queue_.Promise(b, 2, Duration{0}), milliseconds(12));  // two rows on two cores, what runs and its own
  EXPECT_EQ(queue_.Promise(b, 1, Duration{0}), milliseconds(16));
  EXPECT_EQ(queue_.Promise(b, 2, milliseconds(8)), milliseconds(16));  // and half of what else waits
  queue_.Charge(seconds(60), 1);  // compiled first: counts as four times what was usual
  EXPECT_EQ(queue_.Promise(b, 2, Duration{0}), microseconds(16500));
  queue_.Charge(milliseconds(0), 0);  // refused
  EXPECT_EQ(queue_.Promise(b, 2, Duration{0}), microseconds(16500));
  urgent.arrived = b.arrived;
  urgent.priority = 1;
  EXPECT_EQ(queue_.Promise(urgent, 2, Duration{0}), Duration{0});
  EXPECT_TRUE(queue_.Remove(&a));
  EXPECT_EQ(queue_.Promise(b, 2, Duration{0}), Duration{0});  // nothing waits
}

TEST_F(QueueTest, DoesNotSaveUpServiceWhileIdle) {
  queue_.JoinAt(std::chrono::milliseconds(5));
  queue_.JoinAt(std::chrono::milliseconds(3));
  EXPECT_EQ(queue_.service_time(), std::chrono::milliseconds(5));
}

}  // namespace
}  // namespace tandem::batching
