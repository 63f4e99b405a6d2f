#include "server/traffic/collection.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tandem::traffic {
namespace {

TEST(Collection, TakesRequestsFromSeveralThreads) {
  constexpr int kThreads = 4, kRequests = 1000;
  Collection collection({.samples = 10, .bytes = 1000}, 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRequests; ++i) {
        collection.Offer(4, Now(), [] {
          Inputs inputs;
          inputs.emplace_back(engine::DataType::kFloat32, engine::Shape{1});
          return inputs;
        });
        EXPECT_LE(collection.Size().samples, 10U);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const CollectionSize size = collection.Size();
  EXPECT_EQ(size.samples, 10U);
  EXPECT_EQ(size.bytes, 40U);
  // Some came while another one was looked at, and were let go.
  EXPECT_GE(size.seen, 10);
  EXPECT_LE(size.seen, kThreads * kRequests);
  EXPECT_EQ(collection.TakeAll(Now()).size(), 10U);
}

}  // namespace
}  // namespace tandem::traffic
