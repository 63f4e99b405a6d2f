#include "server/batching/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/batching/fake_request.h"

namespace tandem::batching {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class QueueTest : public ::testing::Test {
 protected:
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
  EXPECT_THAT(queue_.Cut(4), ElementsAre(&a, &b));
  EXPECT_THAT(queue_.Cut(4), ElementsAre(&c));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(QueueTest, DoesNotMixShapesAndKeepsTheirOrder) {
  FakeRequest a(1, {4}), b(1, {5}), c(1, {4});
  for (FakeRequest* request : {&a, &b, &c}) ASSERT_TRUE(queue_.Push(request).ok());
  EXPECT_EQ(queue_.View().rows, 2);
  EXPECT_THAT(queue_.Cut(4), ElementsAre(&a, &c));
  EXPECT_THAT(queue_.Cut(4), ElementsAre(&b));
}

TEST_F(QueueTest, RunsALargeRequestAlone) {
  FakeRequest a(9), b(1);
  for (FakeRequest* request : {&a, &b}) ASSERT_TRUE(queue_.Push(request).ok());
  EXPECT_TRUE(queue_.View().full);
  EXPECT_THAT(queue_.Cut(4), ElementsAre(&a));
}

TEST_F(QueueTest, GivesBackOnlyWhatWaits) {
  FakeRequest a(1);
  ASSERT_TRUE(queue_.Push(&a).ok());
  EXPECT_TRUE(queue_.Remove(&a));
  EXPECT_FALSE(queue_.Remove(&a));
}

TEST_F(QueueTest, DoesNotSaveUpServiceWhileIdle) {
  queue_.JoinAt(std::chrono::milliseconds(5));
  queue_.JoinAt(std::chrono::milliseconds(3));
  EXPECT_EQ(queue_.service_time(), std::chrono::milliseconds(5));
}

}  // namespace
}  // namespace tandem::batching
