#include "server/models/lineup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace tandem::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LineupTest : public ::testing::Test {
 protected:
  void Add(int64_t number) {
    for (const State state : {State::kFound, State::kLoading, State::kWarming}) registry_.Enter("m", number, state);
    auto version = std::make_shared<Version>();
    version->model_name = "m";
    version->number = number;
    version->fp32 = MakeHandle(std::make_unique<Variant>(), graveyard_);
    lineup_.Add(std::move(version), "");
  }
  // Retracts what is to go, as the loader does, and tells which.
  std::vector<int64_t> Settle() {
    std::vector<int64_t> gone;
    lineup_.Settle("m", [&](int64_t number) {
      gone.push_back(number);
      registry_.Retract("m", number);
    });
    return gone;
  }
  void Want(std::set<int64_t> present) { lineup_.Want("m", {.present = std::move(present)}); }
  // Loads 8, then 9, as the loader does.
  void ServeNine() {
    Want({7, 8});
    Add(8);
    EXPECT_THAT(Settle(), IsEmpty());
    Want({7, 8, 9});
    Add(9);
    EXPECT_THAT(Settle(), IsEmpty());
  }

  std::shared_ptr<Graveyard> graveyard_ = std::make_shared<Graveyard>(nullptr);
  Registry registry_;
  Rejections kept_;
  absl::Status keep_status_;
  Lineup lineup_{registry_,
                 [this](const std::string& model, const std::set<int64_t>& rejected) {
                   if (keep_status_.ok()) kept_[model] = rejected;
                   return keep_status_;
                 },
                 nullptr};
};

TEST_F(LineupTest, ThePreviousVersionStaysWarmAndComesBackInOneStep) {
  ServeNine();
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(9));
  EXPECT_THAT(registry_.LoadedNumbers("m"), ElementsAre(8, 9));
  EXPECT_THAT(std::string(registry_.Find("m", "8").status().message()), HasSubstr("kept"));

  EXPECT_EQ(lineup_.Previous("m").value(), 8);
  EXPECT_TRUE(lineup_.Reject("m", 8).value());
  EXPECT_EQ((*registry_.Find("m", ""))->number, 8);
  EXPECT_THAT(registry_.LoadedNumbers("m"), ElementsAre(8, 9));
  EXPECT_TRUE(lineup_.IsRejected("m", 9));
  EXPECT_THAT(Settle(), IsEmpty());  // the next look changes nothing

  ASSERT_TRUE(lineup_.Pardon("m").ok());
  EXPECT_THAT(Settle(), IsEmpty());
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(9));
}

TEST_F(LineupTest, ANewerVersionThanTheRejectedServes) {
  ServeNine();
  ASSERT_TRUE(lineup_.Reject("m", 8).value());
  Want({8, 9, 10});
  Add(10);
  EXPECT_THAT(Settle(), ElementsAre(8));  // 9 is the newest of the others
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(10));
}

TEST_F(LineupTest, ARollbackDoesNotBringBackWhatIsAboutToEnd) {
  ServeNine();
  Want({8, 9, 10});
  Add(10);
  // 10 serves, 9 is kept and 8 is to go; meanwhile somebody wants to go back to 8.
  std::thread operator_thread;
  absl::StatusOr<bool> serves = false;
  lineup_.Settle("m", [&](int64_t number) {
    EXPECT_EQ(number, 8);
    std::promise<void> begun;
    operator_thread = std::thread([&] {
      begun.set_value();
      serves = lineup_.Reject("m", 8);
    });
    begun.get_future().wait();
    registry_.Retract("m", number);
  });
  operator_thread.join();
  ASSERT_TRUE(serves.ok());
  EXPECT_FALSE(*serves) << "it is to be loaded first";
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(10)) << "what served goes on until then";
}

TEST_F(LineupTest, NothingIsLeftToEndWhenItHasSettled) {
  ServeNine();
  Want({8, 9, 10});
  Add(10);
  EXPECT_THAT(Settle(), ElementsAre(8));
  EXPECT_FALSE(lineup_.Reject("m", 8).value());
  EXPECT_THAT(registry_.LoadedNumbers("m"), ElementsAre(9, 10));
}

TEST_F(LineupTest, AVersionThatIsNotLoadedIsWaitedFor) {
  ServeNine();
  EXPECT_FALSE(lineup_.Reject("m", 7).value());
  EXPECT_FALSE(registry_.PublishedNumbers("m").empty());
  EXPECT_TRUE(lineup_.IsRejected("m", 8) && lineup_.IsRejected("m", 9));
  Add(7);
  Settle();
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(7));
}

TEST_F(LineupTest, WhatCannotBeRolledBackToIsNamed) {
  EXPECT_EQ(lineup_.Previous("m").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(lineup_.Reject("m", 1).status().code(), absl::StatusCode::kNotFound);
  Want({8});
  EXPECT_THAT(std::string(lineup_.Previous("m").status().message()), HasSubstr("no version of model m serves"));
  EXPECT_EQ(lineup_.Reject("m", 1).status().code(), absl::StatusCode::kFailedPrecondition);
  Add(8);
  Settle();
  EXPECT_THAT(std::string(lineup_.Previous("m").status().message()), HasSubstr("no version before 8"));
  EXPECT_THAT(std::string(lineup_.Reject("m", 3).status().message()), HasSubstr("no version 3"));
  EXPECT_THAT(std::string(lineup_.Reject("m", 8).status().message()), HasSubstr("not newer"));
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(8));
}

TEST_F(LineupTest, ACandidateHasFilesAndAnotherVersionBesideIt) {
  const auto why = [&](int64_t number) { return std::string(lineup_.CheckCandidate("m", number).message()); };
  EXPECT_THAT(why(8), HasSubstr("model m has no version 8"));
  Want({8});
  EXPECT_THAT(why(8), HasSubstr("no other version to compare version 8 with"));
  ServeNine();
  EXPECT_TRUE(lineup_.CheckCandidate("m", 9).ok());
  EXPECT_THAT(why(10), HasSubstr("no version 10"));
  ASSERT_TRUE(lineup_.Reject("m", 8).ok());
  EXPECT_THAT(why(9), HasSubstr("version 9 of model m was rolled back from"));
}

TEST_F(LineupTest, GoingBackPassesOverACandidate) {
  ServeNine();
  lineup_.Want("m", {.present = {7, 8, 9}, .candidate = 8});
  Settle();
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(8, 9));
  EXPECT_EQ(lineup_.Previous("m").value(), 7);
  EXPECT_THAT(std::string(lineup_.Reject("m", 8).status().message()), HasSubstr("is the candidate of its route"));
}

TEST_F(LineupTest, GoingBackFromACandidateEndsIt) {
  ServeNine();
  lineup_.Want("m", {.present = {7, 8, 9}, .candidate = 9});
  Settle();
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(8, 9));
  EXPECT_EQ(lineup_.Previous("m").value(), 8);
  EXPECT_TRUE(lineup_.Reject("m", 8).value());
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(8));
}

TEST_F(LineupTest, ARejectionEndsWithTheFiles) {
  ServeNine();
  ASSERT_TRUE(lineup_.Reject("m", 8).value());
  Want({8});
  EXPECT_THAT(Settle(), ElementsAre(9));
  EXPECT_FALSE(lineup_.IsRejected("m", 9));
  EXPECT_THAT(kept_["m"], IsEmpty());
}

TEST_F(LineupTest, WhatCannotBeKeptIsRefused) {
  ServeNine();
  keep_status_ = absl::UnavailableError("no room");
  EXPECT_EQ(lineup_.Reject("m", 8).status(), keep_status_);
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(9));
  keep_status_ = absl::OkStatus();
  EXPECT_TRUE(lineup_.Reject("m", 8).value());
  EXPECT_THAT(kept_["m"], ElementsAre(9));
}

TEST_F(LineupTest, WhatWasKeptCountsFromTheStart) {
  lineup_.Restore({{"m", {9}}});
  Want({8, 9});
  EXPECT_TRUE(lineup_.IsRejected("m", 9));
}

}  // namespace
}  // namespace tandem::models
