#include "server/metrics/life_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/metrics/exposition.h"

namespace tandem::metrics {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kStart{};

TEST(LifeMetrics, CountsLoadsWithTheTimeTheyTook) {
  LifeMetrics life;
  life.Loading("m", 1, kStart);
  life.Serves("m", 1, kStart + milliseconds(250));
  life.Loading("m", 2, kStart);
  life.Failed("m", 2, absl::StatusCode::kResourceExhausted);
  const LifeTotals totals = life.Sum();
  EXPECT_EQ(totals.published, 1u);
  EXPECT_EQ(totals.load_seconds.count(), 1u);
  EXPECT_EQ(totals.load_seconds.sum, 250'000'000u);
  EXPECT_EQ(totals.failures[static_cast<size_t>(absl::StatusCode::kResourceExhausted)], 1u);
  EXPECT_EQ(totals.models.at("m").swaps, 0u);
}

TEST(LifeMetrics, ASwapIsAVersionThatTakesOverFromOneThatServes) {
  LifeMetrics life;
  for (int64_t version : {1, 2}) {
    life.Loading("m", version, kStart);
    life.Serves("m", version, kStart);
    if (version == 2) life.Rests("m", 1);
  }
  EXPECT_EQ(life.Sum().models.at("m").swaps, 1u);
  life.Serves("m", 1, kStart);  // a rollback
  life.Rests("m", 2);
  EXPECT_EQ(life.Sum().models.at("m").swaps, 2u);
  EXPECT_EQ(life.Sum().published, 2u);
}

TEST(LifeMetrics, WhatIsKeptOfAModelGoesWithItsLastVersion) {
  LifeMetrics life;
  life.Loading("m", 1, kStart);
  life.Serves("m", 1, kStart);
  life.Promoted("m");
  EXPECT_EQ(life.Sum().models.at("m").promoted, 1u);
  life.Ends("m", 1);
  EXPECT_TRUE(life.Sum().models.empty());
  life.Loading("n", 1, kStart);
  life.Failed("n", 1, absl::StatusCode::kInvalidArgument);
  life.Promoted("never seen");
  life.Ends("never seen", 1);
  EXPECT_TRUE(life.Sum().models.empty());
}

TEST(LifeMetrics, AreExposed) {
  LifeMetrics life;
  life.Loading("m", 1, kStart);
  life.Serves("m", 1, kStart + milliseconds(250));
  life.Demoted("m");
  const std::string text = Serialize(Families({.life = life.Sum()}));
  EXPECT_THAT(text, HasSubstr("tandem_version_loads_total{outcome=\"published\"} 1"));
  EXPECT_THAT(text, HasSubstr("tandem_version_load_seconds_sum 0.25"));
  EXPECT_THAT(text, HasSubstr("tandem_promotions_total{model=\"m\",change=\"demoted\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("tandem_version_load_failures_total{")));
  life.Loading("m", 2, kStart);
  life.Failed("m", 2, absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Serialize(Families({.life = life.Sum()})),
              HasSubstr("tandem_version_load_failures_total{code=\"INVALID_ARGUMENT\"} 1"));
}

TEST(Exposition, TellsWhatIsKnownOfSiblings) {
  const std::string text = Serialize(
      Families({.artifacts = {{.model = "m", .version = "1", .size_ratio = 0.25, .metric = "top1", .loss = -0.5}}}));
  EXPECT_THAT(text, HasSubstr("tandem_artifact_size_ratio{model=\"m\",version=\"1\"} 0.25"));
  EXPECT_THAT(text, HasSubstr("tandem_artifact_loss{model=\"m\",version=\"1\",metric=\"top1\"} -0.5"));
  EXPECT_THAT(text, Not(HasSubstr("tandem_artifact_speedup{")));
}

TEST(Exposition, TellsEvidenceAboutVersionsFromThatAboutVariants) {
  const std::string text = Serialize(Families({.routes = {{.model = "m", .version = "8", .share = 0.25}},
                                               .evidence = {{.model = "m",
                                                             .version = "8",
                                                             .baseline_version = "7",
                                                             .verdict = "proven",
                                                             .baseline = {.right = 3},
                                                             .candidate = {.right = 4}}}}));
  EXPECT_THAT(text, HasSubstr("tandem_route_weight{model=\"m\",version=\"8\",variant=\"fp32\"} 0.25"));
  EXPECT_THAT(text, HasSubstr("tandem_verdict{model=\"m\",version=\"8\",baseline_version=\"7\",verdict=\"proven\"} 1"));
  const std::string outcomes = "tandem_outcomes_total{model=\"m\",version=";
  EXPECT_THAT(text, HasSubstr(outcomes + "\"8\",baseline_version=\"7\",variant=\"fp32\",outcome=\"right\"} 4"));
  EXPECT_THAT(text, HasSubstr(outcomes + "\"7\",candidate_version=\"8\",variant=\"fp32\",outcome=\"right\"} 3"));
}

}  // namespace
}  // namespace tandem::metrics
