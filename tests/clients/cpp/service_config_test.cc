#include "clients/cpp/service_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace tandem::client {
namespace {

using testing::HasSubstr;

TEST(ServiceConfig, TellsGrpcWhenToTryAgain) {
  RetryPolicy policy;
  policy.attempts = 3;
  policy.first_wait = std::chrono::milliseconds(50);
  policy.factor = 1.5;
  EXPECT_EQ(*ServiceConfig(policy),
            R"({"loadBalancingConfig":[{"round_robin":{}}],)"
            R"("methodConfig":[{"name":[{"service":"inference.GRPCInferenceService"}],)"
            R"("retryPolicy":{"maxAttempts":3,"initialBackoff":"0.050s","maxBackoff":"2.000s",)"
            R"("backoffMultiplier":1.500,"retryableStatusCodes":["UNAVAILABLE","RESOURCE_EXHAUSTED","CANCELLED"]}}]})");
}

TEST(ServiceConfig, LeavesRetriesOutWhenThereIsOneAttempt) {
  EXPECT_EQ(*ServiceConfig({.attempts = 1}), R"({"loadBalancingConfig":[{"round_robin":{}}]})");
}

TEST(ServiceConfig, RefusesWhatCannotBe) {
  const auto error = [](const RetryPolicy& policy) { return std::string(ServiceConfig(policy).status().message()); };
  EXPECT_THAT(error({.attempts = 0}), HasSubstr("attempts is 0"));
  EXPECT_THAT(error({.attempts = 6}), HasSubstr("no more than 5"));
  EXPECT_THAT(error({.first_wait = std::chrono::milliseconds(0)}), HasSubstr("first_wait is 0 ms"));
  EXPECT_THAT(error({.longest_wait = std::chrono::milliseconds(-1)}), HasSubstr("longest_wait -1 ms"));
  EXPECT_THAT(error({.factor = 0.5}), HasSubstr("factor is 0.5"));
  EXPECT_THAT(error({.factor = std::numeric_limits<double>::quiet_NaN()}), HasSubstr("factor is nan"));
  EXPECT_THAT(error({.codes = {}}), HasSubstr("codes must be some"));
  EXPECT_THAT(error({.codes = {absl::StatusCode::kOk}}), HasSubstr("none of them OK"));
}

}  // namespace
}  // namespace tandem::client
