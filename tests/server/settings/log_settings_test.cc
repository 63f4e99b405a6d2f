#include "server/settings/log_settings.h"

#include <gtest/gtest.h>

namespace tandem::settings {
namespace {

TEST(LogSettings, TellsWhatWasSet) {
  LogSettings settings("json");
  EXPECT_EQ(settings.format(), "json");
  for (const char* level : {"debug", "warning", "error", "info"}) {
    ASSERT_TRUE(settings.SetLevel(level).ok());
    EXPECT_EQ(settings.level(), level);
    // There is one log a process.
    EXPECT_EQ(LogSettings("text").level(), level);
  }
}

TEST(LogSettings, RefusesOtherLevels) {
  LogSettings settings("text");
  ASSERT_TRUE(settings.SetLevel("warning").ok());
  for (const char* level : {"", "warn", "INFO", "trace"}) {
    EXPECT_EQ(settings.SetLevel(level).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(settings.level(), "warning");
}

}  // namespace
}  // namespace tandem::settings
