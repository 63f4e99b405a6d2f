#include "server/admin/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tandem::admin {
namespace {

using ::testing::HasSubstr;

const config::RouteConfig kBase{.mode = "auto", .int8_weight = 0.1, .shadow_rate = 0.05};

v1::Route Weights(const std::map<std::string, double>& weights) {
  v1::Route route;
  route.mutable_weights()->insert(weights.begin(), weights.end());
  return route;
}

TEST(RouteOf, TakesFromTheBaseWhatIsLeftOut) {
  EXPECT_EQ(*RouteOf({}, kBase), kBase);
  v1::Route route = Weights({{"int8", 0.5}});
  route.set_mode("split");
  EXPECT_EQ(*RouteOf(route, kBase), (config::RouteConfig{.mode = "split", .int8_weight = 0.5, .shadow_rate = 0.05}));
  route.set_shadow_rate(0);
  EXPECT_EQ(RouteOf(route, kBase)->shadow_rate, 0);
}

TEST(RouteOf, IsBetweenVersionsOnlyWhenTheMessageSaysSo) {
  config::RouteConfig base = kBase;
  base.mode = "split";
  base.candidate_version = 8;
  base.candidate_weight = 0.3;
  EXPECT_FALSE(RouteOf({}, base)->between_versions());
  v1::Route route;
  route.set_candidate_version(8);
  EXPECT_EQ(*RouteOf(route, base), base);
  route.set_candidate_weight(0);
  EXPECT_EQ(RouteOf(route, base)->candidate_weight, 0);
}

TEST(RouteOf, GivesTheRestToTheVariantThatIsLeftOut) {
  EXPECT_DOUBLE_EQ(RouteOf(Weights({{"fp32", 0.75}}), kBase)->int8_weight, 0.25);
  EXPECT_DOUBLE_EQ(RouteOf(Weights({{"int8", 0.25}}), kBase)->int8_weight, 0.25);
  EXPECT_DOUBLE_EQ(RouteOf(Weights({{"fp32", 0.75}, {"int8", 0.25}}), kBase)->int8_weight, 0.25);
}

TEST(RouteOf, RefusesWeightsThatAreNone) {
  const auto problem = [](const std::map<std::string, double>& weights) {
    const absl::Status status = RouteOf(Weights(weights), kBase).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    return std::string(status.message());
  };
  EXPECT_THAT(problem({{"fp32", 0.75}, {"int8", 0.5}}), HasSubstr("together they must be 1, not 1.25"));
  EXPECT_THAT(problem({{"int8", -0.5}}), HasSubstr("for int8, not -0.5"));
  EXPECT_THAT(problem({{"fp32", std::nan("")}}), HasSubstr("for fp32, not nan"));
  EXPECT_THAT(problem({{"bf\n16", 1}}), HasSubstr("no variant \"bf\\n16\""));
}

TEST(MessageOf, TellsWhichRouteCounts) {
  routing::RouteState route{.desired = kBase};
  const models::Registry registry;
  EXPECT_EQ(MessageOf("m", route, registry).effective().mode(), "auto");
  EXPECT_FALSE(MessageOf("m", route, registry).has_override());
  route.override =
      state::RouteOverride{.route = {.mode = "split", .int8_weight = 0.25},
                           .author = {.who = "ann", .why = "a trial", .when = absl::FromUnixMillis(1'700'000'000'123)}};
  const v1::RouteState message = MessageOf("m", route, registry);
  EXPECT_EQ(message.desired().mode(), "auto");
  EXPECT_EQ(message.effective().mode(), "split");
  EXPECT_EQ(message.effective().weights().at("fp32"), 0.75);
  EXPECT_EQ(message.override().author().who(), "ann");
  EXPECT_EQ(message.override().author().when().seconds(), 1'700'000'000);
  EXPECT_EQ(message.override().author().when().nanos(), 123'000'000);
}

TEST(MessageOf, NamesTheStageOfABuildThatWaits) {
  EXPECT_EQ(MessageOf(quantization::Progress{}).stage(), "queued");
  EXPECT_EQ(MessageOf(quantization::Progress{.stage = "judge", .done = 0.5}).stage(), "judge");
}

TEST(ModelMessages, ListsWhatDoesNotServeToo) {
  models::Registry registry;
  registry.Enter("m", 1, models::State::kFound);
  registry.Enter("m", 1, models::State::kLoading);
  registry.Enter("m", 1, models::State::kFailed, "no such operator");
  const auto store = state::StateStore::InMemory("a test");
  const routing::Routes routes(registry, *store);
  const std::vector<v1::Model> models = ModelMessages(registry, routes);
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models[0].name(), "m");
  EXPECT_EQ(models[0].serving_version(), 0);
  EXPECT_EQ(models[0].versions(0).state(), "failed");
  EXPECT_EQ(models[0].versions(0).reason(), "no such operator");
  EXPECT_EQ(ModelMessage("n", registry, routes).status(), absl::NotFoundError("unknown model \"n\""));
}

}  // namespace
}  // namespace tandem::admin
