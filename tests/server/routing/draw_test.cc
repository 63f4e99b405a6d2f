#include "server/routing/draw.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem::routing {
namespace {

TEST(DrawOf, AKeyAlwaysDrawsTheSame) {
  EXPECT_EQ(DrawOf("m", "user-1"), DrawOf("m", "user-1"));
  EXPECT_NE(DrawOf("m", "user-1"), DrawOf("m", "user-2"));
  EXPECT_NE(DrawOf("m", "user-1"), DrawOf("n", "user-1"));
  // The same on every server, now and later.
  EXPECT_DOUBLE_EQ(DrawOf("m", "user-1"), DrawOf("m", std::string("user-1")));
}

TEST(DrawOf, KeysAndNumbersSpreadEvenly) {
  constexpr int kDraws = 100'000, kParts = 20;
  int of_keys[kParts] = {}, of_numbers[kParts] = {};
  for (int i = 0; i < kDraws; ++i) {
    ++of_keys[static_cast<int>(DrawOf("m", std::to_string(i)) * kParts)];
    ++of_numbers[static_cast<int>(DrawOf(static_cast<uint64_t>(i)) * kParts)];
  }
  // 5,000 in each, give or take five standard deviations.
  for (int part = 0; part < kParts; ++part) {
    EXPECT_NEAR(of_keys[part], kDraws / kParts, 350) << part;
    EXPECT_NEAR(of_numbers[part], kDraws / kParts, 350) << part;
  }
}

}  // namespace
}  // namespace tandem::routing
