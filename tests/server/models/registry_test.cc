#include "server/models/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace tandem::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RegistryTest : public ::testing::Test {
 protected:
  void Publish(const std::string& model, int64_t number) {
    registry_.Enter(model, number, State::kFound);
    registry_.Enter(model, number, State::kLoading);
    registry_.Enter(model, number, State::kWarming);
    auto version = std::make_shared<Version>();
    version->model_name = model;
    version->number = number;
    version->fp32 = MakeHandle(std::make_unique<Variant>(), graveyard_);
    registry_.Publish(std::move(version));
  }

  int arrivals_ = 0;
  std::shared_ptr<Graveyard> graveyard_ = std::make_shared<Graveyard>([this] { ++arrivals_; });
  Registry registry_;
};

TEST_F(RegistryTest, FindsTheNewestUnlessOneIsNamed) {
  Publish("m", 2);
  Publish("m", 10);
  EXPECT_EQ((*registry_.Find("m", ""))->number, 10);
  EXPECT_EQ((*registry_.Find("m", "2"))->number, 2);
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(2, 10));
}

TEST_F(RegistryTest, ACandidateAnswersWhoNamesItAndWhenThereIsNoOther) {
  Publish("m", 2);
  Publish("m", 10);
  for (const int64_t number : {2, 10}) {
    registry_.Change("m", number, [](Version& version) { version.route.candidate_version = 10; });
  }
  EXPECT_EQ((*registry_.Find("m", ""))->number, 2);
  EXPECT_EQ((*registry_.Find("m", "10"))->number, 10);
  EXPECT_EQ(registry_.Serving("m", 10)->number, 10);
  registry_.Shelve("m", 2);
  EXPECT_EQ((*registry_.Find("m", ""))->number, 10);
  EXPECT_EQ(registry_.Serving("m", 2), nullptr);
  EXPECT_EQ(registry_.Serving("n", 2), nullptr);
}

TEST_F(RegistryTest, TellsWhatIsKeptFromWhatServes) {
  Publish("m", 2);
  Publish("m", 10);
  registry_.Shelve("m", 2);
  ASSERT_THAT(registry_.Published(), SizeIs(1));
  EXPECT_EQ(registry_.Published()[0]->number, 10);
  ASSERT_THAT(registry_.AllLoaded(), SizeIs(2));
  EXPECT_EQ(registry_.AllLoaded()[0]->number, 2);
}

TEST_F(RegistryTest, NamesWhatIsUnknown) {
  Publish("m", 2);
  const absl::Status model = registry_.Find("n\n", "").status();
  EXPECT_EQ(model.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(model.message(), "unknown model \"n\\n\"");
  for (const char* version : {"3", "two", "-1", "99999999999999999999"}) {
    const absl::Status status = registry_.Find("m", version).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << version;
    EXPECT_THAT(std::string(status.message()), HasSubstr(version));
  }
}

TEST_F(RegistryTest, TellsTheStateOfWhatDoesNotServeYet) {
  registry_.Enter("m", 1, State::kFound);
  registry_.Enter("m", 1, State::kLoading);
  EXPECT_EQ(registry_.Find("m", "").status(), absl::UnavailableError("model \"m\" is loading"));
  registry_.Enter("m", 1, State::kFailed, "no such operator");
  EXPECT_EQ(registry_.Find("m", "1").status(),
            absl::UnavailableError("model \"m\" version 1 is failed: no such operator"));
}

TEST_F(RegistryTest, AFailingNewVersionLeavesTheOldOneServing) {
  Publish("m", 1);
  registry_.Enter("m", 2, State::kFound);
  registry_.Enter("m", 2, State::kLoading);
  registry_.Enter("m", 2, State::kFailed, "broken");
  EXPECT_EQ((*registry_.Find("m", ""))->number, 1);
}

TEST_F(RegistryTest, ARetractedVersionLivesUntilItsLastRequestEnds) {
  Publish("m", 1);
  VersionHandle in_flight = *registry_.Find("m", "");
  registry_.Retract("m", 1);
  EXPECT_EQ(registry_.Get("m", 1).state, State::kDraining);
  EXPECT_EQ(registry_.Find("m", "").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(arrivals_, 0);
  in_flight.reset();
  EXPECT_EQ(arrivals_, 1);
  EXPECT_THAT(graveyard_->TakeAll(), SizeIs(1));
}

TEST_F(RegistryTest, ListsEveryVersionWithItsState) {
  Publish("b", 1);
  registry_.Enter("a", 3, State::kFound);
  const auto list = registry_.List();
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].model, "a");
  EXPECT_EQ(list[0].state, State::kFound);
  EXPECT_EQ(list[1].state, State::kPublished);
  registry_.Remove("b", 1);
  EXPECT_THAT(registry_.List(), SizeIs(1));
}

TEST_F(RegistryTest, AChangeIsSeenByTheNextRequestAndNotByThoseInFlight) {
  Publish("m", 1);
  const VersionHandle in_flight = *registry_.Find("m", "");
  EXPECT_TRUE(registry_.Change("m", 1, [](Version& version) { version.lane.state = LaneState::kBuilt; }));
  EXPECT_TRUE(registry_.Change("m", 1, [this](Version& version) {
    version.lane.state = LaneState::kProven;
    version.int8 = MakeHandle(std::make_unique<Variant>(), graveyard_);
  }));
  EXPECT_EQ(in_flight->int8, nullptr);
  EXPECT_EQ(in_flight->lane.state, LaneState::kAbsent);
  EXPECT_THAT((*registry_.Find("m", ""))->variants(), SizeIs(2));
  EXPECT_EQ(registry_.List()[0].reason, "int8 is proven");
}

TEST_F(RegistryTest, AVariantThatLeavesLivesUntilItsLastRequestEnds) {
  Publish("m", 1);
  registry_.Change("m", 1, [](Version& version) { version.lane.state = LaneState::kBuilt; });
  registry_.Change("m", 1, [this](Version& version) {
    version.lane.state = LaneState::kProven;
    version.int8 = MakeHandle(std::make_unique<Variant>(), graveyard_);
  });
  VersionHandle in_flight = *registry_.Find("m", "");
  registry_.Change("m", 1, [](Version& version) {
    version.lane = {};
    version.int8 = nullptr;
  });
  EXPECT_EQ(arrivals_, 0);
  in_flight.reset();
  EXPECT_EQ(arrivals_, 1);
}

TEST_F(RegistryTest, NothingJoinsAVersionThatIsNotPublished) {
  const auto nothing = [](Version&) { ADD_FAILURE() << "called"; };
  EXPECT_FALSE(registry_.Change("m", 1, nothing));
  Publish("m", 1);
  registry_.Retract("m", 1);
  EXPECT_FALSE(registry_.Change("m", 1, nothing));
}

TEST(State, StepsFollowTheLifeOfAVersion) {
  EXPECT_TRUE(MayFollow(State::kFound, State::kLoading));
  EXPECT_TRUE(MayFollow(State::kWarming, State::kFailed));
  EXPECT_TRUE(MayFollow(State::kFailed, State::kFound));
  EXPECT_FALSE(MayFollow(State::kLoading, State::kPublished));
  EXPECT_FALSE(MayFollow(State::kPublished, State::kFailed));
  EXPECT_FALSE(MayFollow(State::kDraining, State::kPublished));
}

}  // namespace
}  // namespace tandem::models
