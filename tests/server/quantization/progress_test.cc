#include "server/quantization/progress.h"

#include <gtest/gtest.h>

namespace tandem::quantization {
namespace {

TEST(ParseProgress, ReadsStageShareAndTimeLeft) {
  const auto progress = ParseProgress(R"({"event":"progress","stage":"search","done":0.42,"seconds_left":12.5})");
  ASSERT_TRUE(progress.has_value());
  EXPECT_EQ(progress->stage, "search");
  EXPECT_DOUBLE_EQ(progress->done, 0.42);
  EXPECT_DOUBLE_EQ(progress->seconds_left, 12.5);
}

TEST(ParseProgress, KeepsNumbersWithinTheirMeaning) {
  const auto progress = ParseProgress(R"({"event":"progress","stage":"search","done":7,"seconds_left":-1})");
  ASSERT_TRUE(progress.has_value());
  EXPECT_EQ(progress->done, 1);
  EXPECT_EQ(progress->seconds_left, 0);
}

TEST(ParseProgress, SkipsWhatIsNoProgress) {
  for (const char* line : {"", "calibrating...", "{", "[]", "7", R"({"event":"done","verdict":"proven"})",
                           R"({"event":"progress"})", R"({"event":"progress","stage":3})", R"({"stage":"search"})"}) {
    EXPECT_FALSE(ParseProgress(line).has_value()) << line;
  }
}

}  // namespace
}  // namespace tandem::quantization
