#include "server/shadow/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/shadow/candidacies.h"
#include "tests/server/shadow/pair.h"

namespace tandem::shadow {
namespace {

using models::Precision;
using ::testing::HasSubstr;

class OutcomesTest : public ::testing::Test {
 protected:
  OutcomesTest() { pair_.Join("Identity", quantization::Verdict::kInconclusive); }

  void Answer(const std::string& id, std::optional<int64_t> answer, Precision by = Precision::kFp32) {
    outcomes_.Answered({.model = "m", .id = id, .by = by, .answer = answer, .at = now_}, limits_);
  }
  absl::StatusOr<Outcome> Report(const std::string& id, int64_t label) {
    return outcomes_.Report("m", id, label, now_);
  }
  evidence::Summary Evidence() { return pair_.ledger()->Summarize(); }

  PublishedPair pair_;
  Outcomes outcomes_{pair_.registry, pair_.ledgers, pair_.promoter};
  config::OutcomesConfig limits_{.keep = 3, .max_age = std::chrono::seconds(10)};
  Time now_{std::chrono::hours(1)};
};

TEST_F(OutcomesTest, AnOutcomeCountsForTheVariantThatAnswered) {
  Answer("a", 7);
  Answer("b", 7, Precision::kInt8);
  EXPECT_TRUE(Report("a", 7)->right);
  EXPECT_FALSE(Report("b", 8)->right);
  const evidence::Summary summary = Evidence();
  EXPECT_EQ(summary.baseline.outcomes, 1);
  EXPECT_EQ(summary.baseline.right, 1);
  EXPECT_EQ(summary.candidate.outcomes, 1);
  EXPECT_EQ(summary.candidate.right, 0);
  EXPECT_EQ(summary.pairs, 0);
}

TEST_F(OutcomesTest, WhereBothHaveAnsweredItIsAPair) {
  Answer("a", 7);
  outcomes_.Compared("m", "a", 8);
  const auto outcome = Report("a", 7);
  EXPECT_TRUE(outcome->right);
  EXPECT_EQ(outcome->other_right, false);
  Answer("b", 7, Precision::kInt8);
  outcomes_.Compared("m", "b", 8);
  Report("b", 7).IgnoreError();
  const evidence::Summary summary = Evidence();
  EXPECT_EQ(summary.pairs, 2);
  EXPECT_EQ(summary.baseline.right, 1);
  EXPECT_EQ(summary.candidate.right, 1);
  EXPECT_EQ(summary.accuracy.mean, 0);
}

TEST_F(OutcomesTest, AnOutcomeCountsForTheVersionThatAnswered) {
  pair_.AddCandidate("Neg");
  Candidacies candidacies(pair_.registry, pair_.ledgers);
  candidacies.Follow("m", {});
  const Arms arms{.baseline = 1, .candidate = 2};
  outcomes_.Answered({.model = "m", .version = 1, .id = "a", .arms = arms, .answer = 7, .at = now_}, limits_);
  outcomes_.Answered({.model = "m", .version = 2, .id = "b", .arms = arms, .answer = 7, .at = now_}, limits_);
  EXPECT_EQ(Report("a", 7)->version, 1);
  EXPECT_EQ(Report("b", 8)->version, 2);
  outcomes_.Answered({.model = "m", .version = 1, .id = "c", .arms = arms, .answer = 7, .at = now_}, limits_);
  outcomes_.Compared("m", "c", 8);
  EXPECT_EQ(Report("c", 8)->other_right, true);
  const evidence::Summary summary = pair_.ledger_of_versions()->Summarize();
  EXPECT_EQ(summary.baseline.outcomes, 2);
  EXPECT_EQ(summary.baseline.right, 1);
  EXPECT_EQ(summary.candidate.outcomes, 2);
  EXPECT_EQ(summary.candidate.right, 1);
  EXPECT_EQ(summary.pairs, 1);
  EXPECT_EQ(Evidence().baseline.outcomes, 0);
}

TEST_F(OutcomesTest, CountsOnceAndOnlyWhatIsKept) {
  Answer("a", 7);
  EXPECT_TRUE(Report("a", 7).ok());
  for (const char* id : {"a", "never"}) {
    const absl::Status status = Report(id, 7).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(status.message()), HasSubstr(id));
  }
  EXPECT_EQ(outcomes_.Report("n", "a", 7, now_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(OutcomesTest, TheOldestMakeRoom) {
  for (const char* id : {"a", "b", "c", "d"}) Answer(id, 7);
  EXPECT_EQ(outcomes_.kept("m"), 3u);
  EXPECT_FALSE(Report("a", 7).ok());
  EXPECT_TRUE(Report("b", 7).ok());
}

TEST_F(OutcomesTest, AnAnswerIsForgottenWhenItIsOld) {
  Answer("a", 7);
  now_ += std::chrono::seconds(11);
  EXPECT_FALSE(Report("a", 7).ok());
  EXPECT_EQ(outcomes_.kept("m"), 0u);
}

TEST_F(OutcomesTest, AnIdThatIsUsedAgainMeansTheLaterRequest) {
  Answer("a", 7);
  Answer("a", 8);
  for (const char* id : {"b", "c"}) Answer(id, 7);  // the first "a" is the oldest
  EXPECT_TRUE(Report("a", 8)->right);
}

TEST_F(OutcomesTest, WithoutAClassOnlyRightOrWrongIsTaken) {
  Answer("a", std::nullopt);
  EXPECT_EQ(Report("a", 7).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(outcomes_.ReportRight("m", "a", true, now_)->right);
  Answer("c", 7);
  outcomes_.Compared("m", "c", 7);
  EXPECT_EQ(outcomes_.ReportRight("m", "c", false, now_)->other_right, false);
  Answer("d", 7);
  outcomes_.Compared("m", "d", 8);
  EXPECT_EQ(outcomes_.ReportRight("m", "d", false, now_)->other_right, std::nullopt);
}

TEST_F(OutcomesTest, LossesOfAccuracyDemote) {
  ASSERT_TRUE(pair_.promoter.Promote("m", 1, true).ok());
  int reported = 0;
  for (; pair_.int8_serves() && reported < 1'000; ++reported) {
    const std::string id = std::to_string(reported);
    Answer(id, reported % 4 == 0 ? 8 : 7, Precision::kInt8);
    outcomes_.Compared("m", id, 7);
    ASSERT_TRUE(Report(id, 7).ok());
  }
  EXPECT_LT(reported, 200);
  EXPECT_THAT(pair_.events.back().why, HasSubstr("of accuracy lost"));
}

}  // namespace
}  // namespace tandem::shadow
