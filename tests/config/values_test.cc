#include "config/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::config {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Duration, TakesUnits) {
  EXPECT_EQ(*ParseDuration("250us"), microseconds(250));
  EXPECT_EQ(*ParseDuration("2ms"), milliseconds(2));
  EXPECT_EQ(*ParseDuration("1.5s"), milliseconds(1500));
  EXPECT_EQ(*ParseDuration("1m"), std::chrono::minutes(1));
  EXPECT_EQ(*ParseDuration("0"), nanoseconds(0));
}

TEST(Duration, RefusesWhatHasNoUnitOrSign) {
  for (const char* text : {"2", "ms", "-2ms", "2 parsecs", "", "1e30s", "nans"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(Bytes, TakesPowersOf1024) {
  EXPECT_EQ(*ParseBytes("65536"), 65536);
  EXPECT_EQ(*ParseBytes("64MB"), 64 << 20);
  EXPECT_FALSE(ParseBytes("64 megs").ok());
  EXPECT_FALSE(ParseBytes("99999999999GB").ok());
}

TEST(Fraction, TakesPercentAndPlain) {
  EXPECT_DOUBLE_EQ(*ParseFraction("0.5%"), 0.005);
  EXPECT_DOUBLE_EQ(*ParseFraction("0.05"), 0.05);
  EXPECT_FALSE(ParseFraction("120%").ok());
  EXPECT_FALSE(ParseFraction("nan").ok());
}

TEST(Address, NeedsHostAndPort) {
  EXPECT_TRUE(ParseAddress("0.0.0.0:8001").ok());
  EXPECT_TRUE(ParseAddress("[::1]:0").ok());
  for (const char* text : {"8001", ":8001", "host", "host:", "host:65536", "::1:80", ""}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
}

TEST(Address, SplitsOffBrackets) {
  EXPECT_EQ(SplitAddress("[::1]:80").host, "::1");
  EXPECT_EQ(SplitAddress("127.0.0.1:80").port, 80);
}

TEST(Nearest, FindsTypingErrorsAndNothingFar) {
  EXPECT_EQ(Nearest("max_batchsize", {"max_delay", "max_batch_size"}), "max_batch_size");
  EXPECT_EQ(Nearest("zebra", {"max_delay", "max_batch_size"}), "");
}

}  // namespace
}  // namespace tandem::config
