#include "server/models/orders.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>
#include <thread>

namespace tandem::models {
namespace {

class OrdersTest : public ::testing::Test {
 protected:
  std::future<absl::Status> PlaceElsewhere(std::function<absl::Status()> order) {
    return std::async(std::launch::async, [this, order] { return orders_.Place(order); });
  }

  std::counting_semaphore<> arrived_{0};
  Orders orders_{[this] { arrived_.release(); }};
};

TEST_F(OrdersTest, AreCarriedOutByTheOwnerAndReturnWhatCameOfThem) {
  std::thread::id by;
  std::future<absl::Status> placed = PlaceElsewhere([&] {
    by = std::this_thread::get_id();
    return absl::NotFoundError("no such thing");
  });
  arrived_.acquire();
  EXPECT_TRUE(orders_.CarryOut());
  EXPECT_EQ(placed.get(), absl::NotFoundError("no such thing"));
  EXPECT_TRUE(by == std::this_thread::get_id());
}

TEST_F(OrdersTest, AreRefusedOnceTheOwnerEnds) {
  int done = 0;
  const auto order = [&] {
    ++done;
    return absl::OkStatus();
  };
  std::future<absl::Status> waiting = PlaceElsewhere(order);
  arrived_.acquire();
  orders_.Close();
  EXPECT_TRUE(absl::IsUnavailable(waiting.get()));
  EXPECT_TRUE(absl::IsUnavailable(orders_.Place(order)));
  EXPECT_FALSE(orders_.CarryOut());
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace tandem::models
