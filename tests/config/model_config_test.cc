#include "config/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The message of the error that `text` causes.
std::string Error(const std::string& text) {
  const auto config = ParseModelConfig(text, "config.yaml");
  EXPECT_FALSE(config.ok()) << text;
  return std::string(config.status().message());
}

TEST(ModelConfig, DefaultsWhenEmpty) {
  const auto config = ParseModelConfig("", "config.yaml");
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE(config->max_batch_size.has_value());
  EXPECT_EQ(config->max_queue_size, 1024);
  EXPECT_EQ(config->version_policy.latest, 1);
  EXPECT_FALSE(config->samples_from_traffic.enabled);
}

TEST(ModelConfig, TakesEveryKey) {
  const auto config = ParseModelConfig(R"(
max_batch_size: 32            # default: found at warm-up
max_delay: 2ms
max_queue_size: 10
version_policy: {versions: [3, 5]}
keep_previous: 2
quantization:
  {enabled: auto, method: integer, metric: top1, max_loss: 0.5%, confidence: 0.95,
   samples_from_traffic: {enabled: true, count: 100, of_requests: 1000, max_bytes: 8MB, max_age: 24h}}
route: {mode: auto, int8_weight: 0.1, shadow_rate: 0.05}
)",
                                       "config.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->max_batch_size, 32);
  EXPECT_EQ(config->max_delay, std::chrono::milliseconds(2));
  EXPECT_THAT(config->version_policy.versions, ElementsAre(3, 5));
  EXPECT_EQ(config->quantization.metric, "top1");
  EXPECT_DOUBLE_EQ(*config->quantization.max_loss, 0.005);
  EXPECT_TRUE(config->samples_from_traffic.enabled);
  EXPECT_EQ(config->samples_from_traffic.count, 100);
  EXPECT_EQ(config->samples_from_traffic.of_requests, 1000);
  EXPECT_EQ(config->samples_from_traffic.max_bytes, 8 << 20);
  EXPECT_EQ(config->samples_from_traffic.max_age, std::chrono::hours(24));
  EXPECT_EQ(config->route.mode, "auto");
}

TEST(ModelConfig, TakesARouteBetweenVersions) {
  const auto config =
      ParseModelConfig("route: {mode: split, candidate_version: 8, candidate_weight: 5%}", "config.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->route.between_versions());
  EXPECT_EQ(config->route.candidate_version, 8);
  EXPECT_DOUBLE_EQ(config->route.candidate_weight, 0.05);
  EXPECT_EQ(Error("route: {candidate_version: 8}"),
            "config.yaml: route.candidate_version: versions are compared by mode split or shadow, not auto");
  EXPECT_THAT(Error("route: {mode: shadow, candidate_version: 0}"), HasSubstr("expected a whole number of at least 1"));
}

TEST(ModelConfig, NamesUnknownKeyFileLineAndNearest) {
  EXPECT_EQ(Error("max_delay: 1ms\nmax_batchsize: 3\n"),
            "config.yaml:2: unknown key max_batchsize; did you mean max_batch_size?");
  EXPECT_EQ(Error("route:\n  mod: auto\n"), "config.yaml:2: unknown key route.mod; did you mean route.mode?");
}

TEST(ModelConfig, NamesWrongValues) {
  EXPECT_EQ(Error("max_delay: 2"),
            "config.yaml:1: max_delay: expected a duration such as 250us, 2ms or 1.5s, not \"2\"");
  EXPECT_THAT(Error("max_batch_size: 0"), HasSubstr("max_batch_size: expected a whole number from 1"));
  EXPECT_THAT(Error("route: {mode: int4}"), HasSubstr("one of fp32, int8, split, shadow, auto"));
  EXPECT_THAT(Error("max_delay: [1ms]"), HasSubstr("expected one value, not a list"));
  EXPECT_THAT(Error("quantization: {min_db: 20}"), HasSubstr("only with metric: sqnr"));
  EXPECT_THAT(Error("version_policy: {all: true, versions: [1]}"), HasSubstr("exclude each other"));
}

TEST(ModelConfig, RefusesWhatIsNoMap) {
  EXPECT_THAT(Error("- a\n- b\n"), HasSubstr("expected a map"));
  EXPECT_THAT(Error("max_delay: 1ms\nmax_delay: 2ms\n"), HasSubstr("config.yaml:2: the key max_delay appears twice"));
  EXPECT_THAT(Error("a: [\n"), HasSubstr("config.yaml:"));
  EXPECT_THAT(Error("max_delay:\n"), HasSubstr("max_delay has no value"));
}

}  // namespace
}  // namespace tandem::config
