#include "server/app/steps.h"

#include <gtest/gtest.h>

namespace tandem::app {
namespace {

using models::LaneState;
using models::State;

const absl::Time kWhen = absl::FromUnixMillis(1);

TEST(EventOf, TellsOfWhatUsersSee) {
  for (State state : {State::kFound, State::kLoading, State::kWarming, State::kUnloaded}) {
    EXPECT_FALSE(EventOf(models::VersionStatus{"m", 2, state, ""}, kWhen).has_value());
  }
  EXPECT_EQ(EventOf(models::VersionStatus{"m", 2, State::kDraining, ""}, kWhen)->kind, "retired");
  const state::Event failed = *EventOf(models::VersionStatus{"m", 2, State::kFailed, "no \xff operator"}, kWhen);
  EXPECT_EQ(failed.kind, "failed");
  EXPECT_EQ(failed.model, "m");
  EXPECT_EQ(failed.version, 2);
  EXPECT_EQ(failed.author.who, "tandemd");
  EXPECT_EQ(failed.author.when, kWhen);
  EXPECT_EQ(failed.detail, "{\"reason\":\"no \ufffd operator\"}");
}

TEST(EventOf, TellsHowInt8Came) {
  EXPECT_FALSE(EventOf(models::LaneStatus{"m", 2, {.state = LaneState::kBuilding}}, kWhen).has_value());
  const state::Event proven =
      *EventOf(models::LaneStatus{"m", 2, {.state = LaneState::kProven, .reason = "faster"}}, kWhen);
  EXPECT_EQ(proven.kind, "int8");
  EXPECT_EQ(proven.detail, R"({"reason":"faster","state":"proven"})");
}

TEST(EventOf, SaysWhatEvidenceIsAbout) {
  const shadow::Event of_int8{.model = "m", .version = 8, .kind = shadow::Event::Kind::kProven, .why = "0 %"};
  EXPECT_EQ(EventOf(of_int8, kWhen).detail, R"({"reason":"0 %"})");
  shadow::Event of_version = of_int8;
  of_version.baseline_version = 7;
  EXPECT_EQ(EventOf(of_version, kWhen).kind, "proven");
  EXPECT_EQ(EventOf(of_version, kWhen).detail, R"({"baseline_version":7,"reason":"0 %"})");
}

}  // namespace
}  // namespace tandem::app
