#include "clients/cli/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

using ::testing::HasSubstr;

TEST(BytesText, HasTheUnitThatFits) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1536), "1.5 KB");
  EXPECT_EQ(BytesText(3 << 19), "1.50 MB");
  EXPECT_EQ(BytesText(int64_t{5} << 30), "5.00 GB");
}

TEST(RouteText, SaysWhatCountsForTheMode) {
  v1::Route route;
  route.set_mode("fp32");
  (*route.mutable_weights())["int8"] = 0.1;
  route.set_shadow_rate(0.05);
  EXPECT_EQ(RouteText(route), "fp32");
  route.set_mode("split");
  EXPECT_EQ(RouteText(route), "split (int8 10 %)");
  route.set_mode("auto");
  EXPECT_EQ(RouteText(route), "auto (shadow 5 %)");
}

TEST(LossText, IsInTheUnitOfItsMetric) {
  v1::Loss loss;
  loss.set_metric("top1");
  loss.set_value(0.0005);
  loss.set_lower_bound(-0.002);
  loss.set_upper_bound(0.0032);
  loss.set_budget(0.01);
  loss.set_samples(4096);
  EXPECT_EQ(LossText(loss), "0.05 % of accuracy lost (-0.2 % to 0.32 %; budget 1 %) on 4096 samples");
  loss.set_metric("sqnr");
  loss.set_value(24.31);
  EXPECT_THAT(LossText(loss), HasSubstr("24.3 dB of signal over noise"));
}

TEST(ParseShare, TakesSharesAndPercentages) {
  EXPECT_DOUBLE_EQ(*ParseShare("0.05"), 0.05);
  EXPECT_DOUBLE_EQ(*ParseShare("5%"), 0.05);
  EXPECT_DOUBLE_EQ(*ParseShare("100%"), 1);
  for (const char* wrong : {"", "%", "1.1", "101%", "-1%", "five", "nan"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseShare(wrong).status())) << wrong;
  }
}

}  // namespace
}  // namespace tandem::cli
