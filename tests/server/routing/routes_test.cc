#include "server/routing/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::routing {
namespace {

using models::State;
using ::testing::HasSubstr;

const state::Author kAnn{.who = "ann", .why = "a trial", .when = absl::FromUnixMillis(1)};

class RoutesTest : public ::testing::Test {
 protected:
  RoutesTest() { Restart(); }

  // A server that starts anew on the same state.
  void Restart() {
    routes_.reset();
    store_.reset();
    registry_ = std::make_unique<models::Registry>();
    store_ = *state::StateStore::Open(folder_.path().string());
    routes_ = std::make_unique<Routes>(*registry_, *store_);
    ASSERT_TRUE(routes_->Restore().ok());
  }
  // As the loader does.
  void Publish(const std::string& model, int64_t number, const std::string& mode) {
    for (State state : {State::kFound, State::kLoading, State::kWarming}) registry_->Enter(model, number, state);
    auto version = std::make_shared<models::Version>();
    version->model_name = model;
    version->number = number;
    version->route = routes_->Desire(model, {.mode = mode});
    version->fp32 = std::make_shared<models::Variant>();
    registry_->Publish(std::move(version));
  }
  std::string ModeOf(const std::string& model, int64_t number = 1) {
    return (*registry_->Find(model, absl::StrCat(number)))->route.mode;
  }
  absl::Status Override(const std::string& model, const std::string& mode) {
    return routes_->Override(model, {.route = {.mode = mode}, .author = kAnn});
  }
  state::Event Newest() { return store_->History({.limit = 1})->at(0); }

  const engine::TemporaryFolder folder_;
  std::unique_ptr<models::Registry> registry_;
  std::unique_ptr<state::StateStore> store_;
  std::unique_ptr<Routes> routes_;
};

TEST_F(RoutesTest, FollowsConfigYaml) {
  Publish("m", 1, "auto");
  EXPECT_EQ(ModeOf("m"), "auto");
  routes_->Desire("m", {.mode = "fp32"});
  EXPECT_EQ(ModeOf("m"), "fp32");
  EXPECT_EQ(routes_->Get("m")->effective().mode, "fp32");
}

TEST_F(RoutesTest, AnOverrideWinsOverConfigYamlUntilItIsCleared) {
  Publish("m", 1, "auto");
  Publish("m", 2, "auto");
  ASSERT_TRUE(Override("m", "int8").ok());
  EXPECT_EQ(ModeOf("m", 1), "int8");
  EXPECT_EQ(ModeOf("m", 2), "int8");
  routes_->Desire("m", {.mode = "fp32"});
  EXPECT_EQ(ModeOf("m"), "int8");
  const RouteState route = *routes_->Get("m");
  EXPECT_EQ(route.desired.mode, "fp32");
  EXPECT_EQ(route.override->author.who, "ann");
  ASSERT_TRUE(routes_->Clear("m", kAnn).ok());
  EXPECT_EQ(ModeOf("m"), "fp32");
  EXPECT_TRUE(absl::IsFailedPrecondition(routes_->Clear("m", kAnn)));
}

TEST_F(RoutesTest, AnOverrideSurvivesAndAppliesWhenItsModelIsPublished) {
  Publish("m", 1, "auto");
  ASSERT_TRUE(Override("m", "int8").ok());
  Restart();
  EXPECT_EQ(routes_->Get("m")->effective().mode, "int8");
  Publish("m", 1, "auto");
  EXPECT_EQ(ModeOf("m"), "int8");
  ASSERT_TRUE(routes_->Clear("m", kAnn).ok());
  Restart();
  Publish("m", 1, "auto");
  EXPECT_EQ(ModeOf("m"), "auto");
}

TEST_F(RoutesTest, IsToldInTheHistory) {
  Publish("m", 1, "auto");
  ASSERT_TRUE(routes_->Override("m", {.route = {.mode = "split", .int8_weight = 0.5}, .author = kAnn}).ok());
  EXPECT_EQ(Newest().kind, "route");
  EXPECT_EQ(Newest().author.why, "a trial");
  EXPECT_EQ(Newest().detail, R"({"from":{"int8_weight":0.1,"mode":"auto","shadow_rate":0.05},)"
                             R"("to":{"int8_weight":0.5,"mode":"split","shadow_rate":0.05}})");
  ASSERT_TRUE(routes_->Clear("m", kAnn).ok());
  EXPECT_EQ(Newest().kind, "clear_route");
}

TEST_F(RoutesTest, RefusesWhatIsNoRouteAndNoModel) {
  Publish("m", 1, "auto");
  const absl::Status mode = Override("m", "int4");
  EXPECT_TRUE(absl::IsInvalidArgument(mode));
  EXPECT_THAT(std::string(mode.message()), HasSubstr("int4"));
  for (double share : {-0.1, 1.1, std::nan("")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(routes_->Override("m", {.route = {.int8_weight = share}, .author = kAnn})));
    EXPECT_TRUE(absl::IsInvalidArgument(routes_->Override("m", {.route = {.shadow_rate = share}, .author = kAnn})));
  }
  EXPECT_EQ(Override("n", "int8"), absl::NotFoundError("unknown model \"n\""));
  EXPECT_TRUE(absl::IsNotFound(routes_->Clear("n", kAnn)));
  EXPECT_TRUE(absl::IsNotFound(routes_->Get("n").status()));
  EXPECT_EQ(ModeOf("m"), "auto");
}

TEST_F(RoutesTest, RefusesAnOverrideThatWouldBeForgotten) {
  const auto memory = state::StateStore::InMemory("read-only");
  Routes routes(*registry_, *memory);
  Publish("m", 1, "auto");
  const absl::Status status = routes.Override("m", {.route = {.mode = "int8"}, .author = kAnn});
  EXPECT_EQ(status, absl::FailedPreconditionError("this server keeps no state: read-only"));
  EXPECT_EQ(ModeOf("m"), "auto");
}

}  // namespace
}  // namespace tandem::routing
