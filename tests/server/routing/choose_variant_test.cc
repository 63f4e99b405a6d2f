#include "server/routing/choose_variant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tandem::routing {
namespace {

using models::Lane;
using models::LaneState;
using models::Precision;
using ::testing::HasSubstr;

absl::StatusOr<Precision> Choose(const std::string& requested, const std::string& mode, const Lane& lane, bool loaded) {
  return ChooseVariant(requested, {.mode = mode}, {.loaded = loaded, .lane = lane}, 0);
}

TEST(ChooseVariant, TheRequestWinsOverTheRoute) {
  const Lane proven{.state = LaneState::kProven};
  EXPECT_EQ(*Choose("fp32", "int8", proven, true), Precision::kFp32);
  EXPECT_EQ(*Choose("int8", "fp32", proven, true), Precision::kInt8);
}

TEST(ChooseVariant, ALoadedVariantAnswersExplicitRequestsWhateverItsVerdict) {
  for (LaneState state : {LaneState::kProven, LaneState::kInconclusive, LaneState::kRejected}) {
    EXPECT_EQ(*Choose("int8", "auto", {.state = state}, true), Precision::kInt8);
  }
}

TEST(ChooseVariant, SaysWhyInt8IsNotThere) {
  const auto why = [](const Lane& lane) {
    const absl::Status status = Choose("int8", "auto", lane, false).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return std::string(status.message());
  };
  EXPECT_EQ(why({.reason = "there are no samples"}), "there is no int8: there are no samples");
  EXPECT_EQ(why({.state = LaneState::kBuilding}), "int8 is being built");
  EXPECT_EQ(why({.state = LaneState::kBuilding, .progress = {.stage = "search", .done = 0.418}}),
            "int8 is being built (search, 42 %)");
  EXPECT_EQ(why({.state = LaneState::kRejected, .reason = "not faster"}), "int8 was rejected: not faster");
  EXPECT_EQ(why({.state = LaneState::kFailed, .reason = "disk full"}), "int8 failed: disk full");
}

TEST(ChooseVariant, NamesTheVariantsThereAre) {
  EXPECT_THAT(std::string(Choose("bf\n16", "auto", {}, false).status().message()),
              HasSubstr(R"(no variant "bf\n16"; there is "fp32")"));
  EXPECT_THAT(std::string(Choose("bf16", "auto", {.state = LaneState::kProven}, true).status().message()),
              HasSubstr(R"("fp32" and "int8")"));
}

TEST(ChooseVariant, AutoGoesWhereEvidenceHasIt) {
  const Lane lane{.state = LaneState::kInconclusive};
  const auto choose = [&](bool loaded, bool serves) {
    return *ChooseVariant("", {.mode = "auto"}, {.loaded = loaded, .lane = lane, .auto_state = {.int8_serves = serves}},
                          0.999);
  };
  EXPECT_EQ(choose(true, true), Precision::kInt8);
  EXPECT_EQ(choose(true, false), Precision::kFp32);
  EXPECT_EQ(choose(false, true), Precision::kFp32);
}

TEST(ChooseVariant, SplitGoesByTheDraw) {
  const Lane lane{.state = LaneState::kInconclusive};
  const auto choose = [&](bool loaded, double weight, double draw) {
    return *ChooseVariant("", {.mode = "split", .int8_weight = weight}, {.loaded = loaded, .lane = lane}, draw);
  };
  EXPECT_EQ(choose(true, 0.3, 0.29), Precision::kInt8);
  EXPECT_EQ(choose(true, 0.3, 0.3), Precision::kFp32);
  EXPECT_EQ(choose(true, 0, 0), Precision::kFp32);
  EXPECT_EQ(choose(true, 1, 0.9999), Precision::kInt8);
  EXPECT_EQ(choose(false, 1, 0), Precision::kFp32);
}

TEST(ChooseVariant, TheRouteInt8FallsBackToFp32WhileThereIsNone) {
  EXPECT_EQ(*Choose("", "int8", {.state = LaneState::kBuilding}, false), Precision::kFp32);
  EXPECT_EQ(*Choose("", "int8", {.state = LaneState::kRejected}, true), Precision::kInt8);
}

TEST(ChooseVariant, OtherRoutesAnswerInFp32) {
  for (const char* mode : {"fp32", "shadow"}) {
    EXPECT_EQ(*Choose("", mode, {.state = LaneState::kProven}, true), Precision::kFp32) << mode;
  }
}

TEST(ComparedShare, IsThatOfTheRouteWhereBothAreThere) {
  const Lane lane{.state = LaneState::kInconclusive};
  const auto share = [&](const std::string& mode, double rate, bool loaded, const models::AutoState& state) {
    return ComparedShare({.mode = mode, .shadow_rate = rate}, {.loaded = loaded, .lane = lane, .auto_state = state});
  };
  EXPECT_EQ(share("shadow", 0.2, true, {}), 0.2);
  EXPECT_EQ(share("shadow", 0.2, false, {}), 0);
  for (const char* mode : {"fp32", "int8", "split"}) EXPECT_EQ(share(mode, 0.2, true, {.gathers = true}), 0) << mode;
  EXPECT_EQ(share("auto", 0.2, true, {.gathers = true}), 0.2);
  EXPECT_EQ(share("auto", 0.2, true, {}), 0);  // nothing more to find out
}

TEST(ChooseVariant, BetweenVersionsInt8HasNoPart) {
  const Lane lane{.state = LaneState::kProven};
  const Int8Status int8{.loaded = true, .lane = lane};
  const config::RouteConfig split{.mode = "split", .int8_weight = 1, .candidate_version = 8};
  EXPECT_EQ(*ChooseVariant("", split, int8, 0), Precision::kFp32);
  EXPECT_EQ(*ChooseVariant("int8", split, int8, 0), Precision::kInt8);
  EXPECT_EQ(ComparedShare({.mode = "shadow", .shadow_rate = 1, .candidate_version = 8}, int8), 0);
}

TEST(ComparedShare, WhileInt8AnswersByAutoItIsWatchedInAnyCase) {
  const Lane lane{.state = LaneState::kProven};
  const Int8Status serving{.loaded = true, .lane = lane, .auto_state = {.int8_serves = true}};
  EXPECT_EQ(ComparedShare({.mode = "auto", .shadow_rate = 0.05}, serving), 0.05);
  EXPECT_EQ(ComparedShare({.mode = "auto", .shadow_rate = 0}, serving), kWatchedShare);
}

}  // namespace
}  // namespace tandem::routing
