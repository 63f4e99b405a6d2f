#include "server/rpc/log_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tandem::rpc {
namespace {

using ::testing::HasSubstr;

class LogMessagesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(log_.SetLevel("warning").ok()); }
  void Set(const char* name, bool value) { (*request_.mutable_settings())[name].set_bool_param(value); }

  settings::LogSettings log_{"text"};
  inference::LogSettingsRequest request_;
};

TEST_F(LogMessagesTest, TellsTheLevelByKinds) {
  const auto response = LogMessageOf(log_);
  EXPECT_FALSE(response.settings().at("log_info").bool_param());
  EXPECT_TRUE(response.settings().at("log_warning").bool_param());
  EXPECT_EQ(response.settings().at("log_verbose_level").uint32_param(), 0u);
  EXPECT_EQ(response.settings().at("log_format").string_param(), "text");
}

TEST_F(LogMessagesTest, AKindThatIsOnTurnsOnTheGraverOnes) {
  Set("log_warning", false);
  Set("log_info", true);
  ASSERT_TRUE(ApplyLogMessage(request_, log_).ok());
  EXPECT_EQ(log_.level(), "info");
  EXPECT_TRUE(LogMessageOf(log_).settings().at("log_warning").bool_param());
}

TEST_F(LogMessagesTest, ChangesNothingButWhatIsNamed) {
  ASSERT_TRUE(ApplyLogMessage(request_, log_).ok());
  EXPECT_EQ(log_.level(), "warning");
  (*request_.mutable_settings())["log_verbose_level"].set_uint32_param(3);
  ASSERT_TRUE(ApplyLogMessage(request_, log_).ok());
  EXPECT_EQ(log_.level(), "debug");
  (*request_.mutable_settings())["log_verbose_level"].set_uint32_param(0);
  ASSERT_TRUE(ApplyLogMessage(request_, log_).ok());
  EXPECT_EQ(log_.level(), "info");
}

TEST_F(LogMessagesTest, RefusesTheWholeForOneWrongSetting) {
  Set("log_info", true);
  (*request_.mutable_settings())["log_file"].set_string_param("/tmp/log");
  const absl::Status status = ApplyLogMessage(request_, log_);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"log_file\""));
  EXPECT_EQ(log_.level(), "warning");
}

TEST_F(LogMessagesTest, RefusesValuesOfAnotherKind) {
  (*request_.mutable_settings())["log_info"].set_uint32_param(1);
  EXPECT_FALSE(ApplyLogMessage(request_, log_).ok());
  request_.Clear();
  (*request_.mutable_settings())["log_verbose_level"].set_bool_param(true);
  EXPECT_FALSE(ApplyLogMessage(request_, log_).ok());
  request_.Clear();
  Set("log_error", false);
  EXPECT_THAT(std::string(ApplyLogMessage(request_, log_).message()), HasSubstr("always logged"));
}

}  // namespace
}  // namespace tandem::rpc
