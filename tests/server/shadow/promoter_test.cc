#include "server/shadow/promoter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/shadow/pair.h"

namespace tandem::shadow {
namespace {

using evidence::Standing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Offline = quantization::Verdict;
using Live = evidence::Verdict;

TEST(NextStep, FollowsFromTheStanding) {
  const Facts can{.routed_by_auto = true, .may_serve = true};
  EXPECT_EQ(NextStep({}, can), Step::kNone);
  EXPECT_EQ(NextStep({.verdict = Live::kProven}, can), Step::kPromote);
  EXPECT_EQ(NextStep({.verdict = Live::kRejected}, can), Step::kNone);
  EXPECT_EQ(NextStep({.candidate_serves = true}, can), Step::kNone);
  EXPECT_EQ(NextStep({.candidate_serves = true, .verdict = Live::kProven}, can), Step::kNone);
  EXPECT_EQ(NextStep({.candidate_serves = true, .verdict = Live::kProven, .alarm = true}, can), Step::kDemote);
  EXPECT_EQ(NextStep({.candidate_serves = true, .verdict = Live::kRejected}, can), Step::kDemote);
}

TEST(NextStep, OnlyTheRouteAutoIsMovedAndOnlyToWhatMayServe) {
  EXPECT_EQ(NextStep({.verdict = Live::kProven}, {.may_serve = true}), Step::kNone);
  EXPECT_EQ(NextStep({.candidate_serves = true, .alarm = true}, {.may_serve = true}), Step::kNone);
  EXPECT_EQ(NextStep({.verdict = Live::kProven}, {.routed_by_auto = true}), Step::kNone);
  EXPECT_EQ(NextStep({.candidate_serves = true, .alarm = true}, {.routed_by_auto = true}), Step::kDemote);
}

class PromoterTest : public ::testing::Test {
 protected:
  // Requests that both have answered.
  void Compare(int count, bool changed) {
    for (int i = 0; i < count; ++i) {
      pair_.ledger()->Add({.outputs = {{.real = true, .rows = 1, .changed = changed ? 1 : 0}}});
      pair_.promoter.Consider(*pair_.version());
    }
  }
  absl::Status Promote(bool force) { return pair_.promoter.Promote("m", 1, force); }

  PublishedPair pair_;
};

TEST_F(PromoterTest, WhatWasProvenWhenItWasBuiltServesAtOnce) {
  pair_.Join("Identity", Offline::kProven);
  EXPECT_TRUE(pair_.int8_serves());
  EXPECT_THAT(pair_.events, IsEmpty());
}

TEST_F(PromoterTest, WhatIsInconclusiveServesOnceLiveEvidenceProvesIt) {
  pair_.Join("Identity", Offline::kInconclusive);
  EXPECT_FALSE(pair_.int8_serves());
  EXPECT_TRUE(pair_.version()->auto_state.gathers);
  Compare(200, false);
  EXPECT_TRUE(pair_.int8_serves());
  ASSERT_THAT(pair_.events, SizeIs(2));
  EXPECT_EQ(pair_.events[0].kind, Event::Kind::kProven);
  EXPECT_EQ(pair_.events[1].kind, Event::Kind::kPromoted);
  EXPECT_THAT(pair_.events[1].why, HasSubstr("0.00 % of answers changed"));
}

TEST_F(PromoterTest, WhatWasRejectedWhenItWasBuiltIsNeitherTriedNorPromoted) {
  pair_.Join("Identity", Offline::kRejected);
  EXPECT_FALSE(pair_.version()->auto_state.gathers);
  Compare(200, false);
  EXPECT_FALSE(pair_.int8_serves());
}

TEST_F(PromoterTest, WhatIsSlowerOrForStudyIsNotPromoted) {
  pair_.Join("Identity", Offline::kInconclusive, 2 * PublishedPair::kFp32Cost);
  Compare(200, false);
  EXPECT_FALSE(pair_.int8_serves());
  pair_.Join("Abs", Offline::kProven, PublishedPair::kFp32Cost / 2, "binary");
  EXPECT_FALSE(pair_.int8_serves());
  Compare(200, false);
  EXPECT_FALSE(pair_.int8_serves());
}

TEST_F(PromoterTest, DamageIsDemotedSoonAndTheNextAttemptBegins) {
  pair_.Join("Identity", Offline::kInconclusive);
  Compare(1'000, false);
  ASSERT_TRUE(pair_.int8_serves());
  int bad = 0;
  for (; pair_.int8_serves(); ++bad) Compare(1, true);
  EXPECT_LT(bad, 20);
  EXPECT_EQ(pair_.events.back().kind, Event::Kind::kDemoted);
  EXPECT_EQ(pair_.version()->auto_state.attempt, 2);
  EXPECT_TRUE(pair_.version()->auto_state.gathers);
  Compare(400, false);
  EXPECT_TRUE(pair_.int8_serves());
}

TEST_F(PromoterTest, AProofOfEarlierDoesNotOutliveItsDisproof) {
  pair_.Join("Identity", Offline::kProven);
  Compare(5, true);
  EXPECT_FALSE(pair_.int8_serves());
  // The same sibling joins again, say after a restart.
  pair_.Join("Identity", Offline::kProven);
  EXPECT_FALSE(pair_.int8_serves());
  // Another one is another matter.
  pair_.Join("Abs", Offline::kProven);
  EXPECT_TRUE(pair_.int8_serves());
}

TEST_F(PromoterTest, PromotesByHandWhatIsProvenAndTheRestByForce) {
  EXPECT_EQ(Promote(true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(pair_.promoter.Promote("n", 1, true).code(), absl::StatusCode::kNotFound);
  pair_.Join("Neg", Offline::kInconclusive);
  const absl::Status refused = Promote(false);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("not proven: nothing has been compared yet"));
  ASSERT_TRUE(Promote(true).ok());
  EXPECT_TRUE(pair_.int8_serves());
  EXPECT_THAT(pair_.events.back().why, HasSubstr("forced"));
  Compare(20, true);
  EXPECT_FALSE(pair_.int8_serves());
  EXPECT_EQ(pair_.events.back().kind, Event::Kind::kDemoted);
}

TEST_F(PromoterTest, ForcedAgainAfterARejectionItIsJudgedAnew) {
  pair_.Join("Neg", Offline::kInconclusive);
  Compare(20, true);
  EXPECT_EQ(pair_.events.back().kind, Event::Kind::kRejected);
  EXPECT_FALSE(pair_.version()->auto_state.gathers);
  ASSERT_TRUE(Promote(true).ok());
  Compare(1, true);
  EXPECT_TRUE(pair_.int8_serves());
  Compare(20, true);
  EXPECT_FALSE(pair_.int8_serves());
}

TEST_F(PromoterTest, OtherRoutesAreNotMovedButToldOfVerdicts) {
  pair_.Join("Identity", Offline::kInconclusive);
  pair_.Route("shadow");
  EXPECT_EQ(Promote(true).code(), absl::StatusCode::kFailedPrecondition);
  Compare(200, false);
  EXPECT_FALSE(pair_.int8_serves());
  ASSERT_THAT(pair_.events, SizeIs(1));
  EXPECT_EQ(pair_.events[0].kind, Event::Kind::kProven);
  pair_.Route("auto");
  Compare(1, false);
  EXPECT_TRUE(pair_.int8_serves());
}

TEST_F(PromoterTest, DemotesByHandWhatServes) {
  pair_.Join("Identity", Offline::kProven);
  ASSERT_TRUE(pair_.promoter.Demote("m", 1, "asked for").ok());
  EXPECT_FALSE(pair_.int8_serves());
  EXPECT_EQ(pair_.promoter.Demote("m", 1, "asked for").code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tandem::shadow
