#include "server/traffic/reservoir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace tandem::traffic {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kStart{};
constexpr std::chrono::seconds kSecond(1);

Inputs Of(float value) {
  Inputs inputs;
  inputs.emplace_back(engine::DataType::kFloat32, engine::Shape{1});
  inputs[0].mutable_values<float>()[0] = value;
  return inputs;
}

std::vector<float> Values(std::vector<Inputs> all) {
  std::vector<float> values;
  for (Inputs& inputs : all) values.push_back(inputs[0].values<float>()[0]);
  return values;
}

void Offer(Reservoir& reservoir, float value, Time now = kStart, size_t bytes = 4) {
  reservoir.Offer(bytes, now, [&] { return Of(value); });
}

TEST(Reservoir, TakesAllUntilItIsFull) {
  Reservoir reservoir({.samples = 3, .bytes = 100}, 1);
  for (int i = 0; i < 3; ++i) Offer(reservoir, static_cast<float>(i));
  EXPECT_EQ(reservoir.bytes(), 12U);
  EXPECT_THAT(Values(reservoir.TakeAll(kStart)), ElementsAre(0, 1, 2));
  EXPECT_EQ(reservoir.size(), 0U);
}

TEST(Reservoir, HoldsEachRequestWithTheSameProbability) {
  constexpr int kRequests = 100, kSamples = 10, kRuns = 2000;
  std::vector<int> held(kRequests);
  for (int run = 0; run < kRuns; ++run) {
    Reservoir reservoir({.samples = kSamples, .bytes = 1000}, static_cast<uint64_t>(run));
    for (int i = 0; i < kRequests; ++i) Offer(reservoir, static_cast<float>(i));
    EXPECT_EQ(reservoir.size(), static_cast<size_t>(kSamples));
    EXPECT_EQ(reservoir.seen(), kRequests);
    for (float value : Values(reservoir.TakeAll(kStart))) ++held[static_cast<size_t>(value)];
  }
  // 200 each; 6 standard deviations of a binomial count are 80.
  for (int count : held) EXPECT_NEAR(count, kRuns * kSamples / kRequests, 80);
}

TEST(Reservoir, CopiesOnlyWhatItTakes) {
  Reservoir reservoir({.samples = 1, .bytes = 100}, 1);
  int copies = 0;
  for (int i = 0; i < 10'000; ++i) {
    reservoir.Offer(4, kStart, [&] {
      ++copies;
      return Of(0);
    });
  }
  EXPECT_LT(copies, 50);  // 1 + 1/2 + 1/3 + ... is 9.8
}

TEST(Reservoir, NeverHoldsMoreBytesThanItMay) {
  Reservoir reservoir({.samples = 100, .bytes = 1000}, 1);
  for (int i = 0; i < 1000; ++i) {
    Offer(reservoir, 0, kStart, static_cast<size_t>(1 + 37 * i % 400));
    EXPECT_LE(reservoir.bytes(), 1000U);
  }
  Offer(reservoir, 0, kStart, 1001);
  EXPECT_LE(reservoir.bytes(), 1000U);
}

TEST(Reservoir, LetsGoOfWhatIsTooOld) {
  Reservoir reservoir({.samples = 10, .bytes = 100, .age = 10 * kSecond}, 1);
  Offer(reservoir, 1);
  Offer(reservoir, 2, kStart + 6 * kSecond);
  Offer(reservoir, 3, kStart + 12 * kSecond);
  EXPECT_EQ(reservoir.size(), 2U);
  EXPECT_EQ(reservoir.bytes(), 8U);
  EXPECT_THAT(Values(reservoir.TakeAll(kStart + 18 * kSecond)), ElementsAre(3));
  EXPECT_THAT(Values(reservoir.TakeAll(kStart + 18 * kSecond)), IsEmpty());
}

TEST(Reservoir, DrawsTheSameByTheSameSeed) {
  const auto drawn = [](uint64_t seed) {
    Reservoir reservoir({.samples = 5, .bytes = 100}, seed);
    for (int i = 0; i < 1000; ++i) Offer(reservoir, static_cast<float>(i));
    return Values(reservoir.TakeAll(kStart));
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7), drawn(8));
}

}  // namespace
}  // namespace tandem::traffic
