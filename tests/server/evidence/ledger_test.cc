#include "server/evidence/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/evidence/ledgers.h"

namespace tandem::evidence {
namespace {

using ::testing::HasSubstr;

Comparison Answers(bool changed) {
  return {.outputs = {{.real = true,
                       .rows = 1,
                       .changed = changed ? 1 : 0,
                       .noise = changed ? 0.5 : 0.001,
                       .cosine = changed ? 0.7 : 0.999}},
          .baseline_time = std::chrono::microseconds(400),
          .candidate_time = std::chrono::microseconds(100)};
}

void Add(Ledger& ledger, int count, bool changed) {
  for (int i = 0; i < count; ++i) ledger.Add(Answers(changed));
}

TEST(Ledger, ProvesWhatKeepsWithinItsBudget) {
  Ledger ledger({});
  Add(ledger, 100, false);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kUndecided);
  Add(ledger, 100, false);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kProven);
  EXPECT_EQ(ledger.TakeNews(), Verdict::kProven);
  EXPECT_EQ(ledger.TakeNews(), std::nullopt);
}

TEST(Ledger, SummarizesWhatItWasGiven) {
  Ledger ledger({});
  Add(ledger, 99, false);
  Add(ledger, 1, true);
  const Summary summary = ledger.Summarize();
  EXPECT_EQ(summary.comparisons, 100);
  EXPECT_DOUBLE_EQ(summary.agreement, 0.99);
  EXPECT_NEAR(summary.relative_error, std::sqrt((99 * 0.001 + 0.5) / 100), 1e-12);
  EXPECT_NEAR(summary.cosine, (99 * 0.999 + 0.7) / 100, 1e-12);
  EXPECT_DOUBLE_EQ(summary.latency_ratio, 0.25);
  EXPECT_EQ(summary.baseline.latency.count(), 100u);
  EXPECT_DOUBLE_EQ(summary.changes.mean, 0.01);
  EXPECT_LT(summary.changes.bounds.lower, 0.01);
  EXPECT_GT(summary.changes.bounds.upper, 0.01);
  EXPECT_THAT(summary.reason, HasSubstr("1.00 % of answers changed in 100 requests"));
  EXPECT_THAT(summary.reason, HasSubstr("budget 5.00 %"));
}

TEST(Ledger, CountsAnInputOnce) {
  Ledger ledger({});
  EXPECT_TRUE(ledger.IsNew(1));
  EXPECT_TRUE(ledger.IsNew(2));
  EXPECT_FALSE(ledger.IsNew(1));
  EXPECT_EQ(ledger.Summarize().duplicates, 1);
}

TEST(RecentInputs, ForgetsWhatIsLongAgo) {
  RecentInputs recent(2);
  EXPECT_TRUE(recent.Add(1));
  EXPECT_TRUE(recent.Add(2));
  EXPECT_TRUE(recent.Add(3));
  EXPECT_FALSE(recent.Add(2));
  EXPECT_TRUE(recent.Add(1));
  EXPECT_TRUE(recent.Add(2));
}

TEST(Ledger, WatchesWhileTheCandidateServes) {
  Ledger ledger({});
  Add(ledger, 200, false);
  Add(ledger, 50, true);
  EXPECT_FALSE(ledger.standing().alarm);  // nobody was served
  ledger.BeginServing();
  Add(ledger, 1'000, false);
  EXPECT_FALSE(ledger.standing().alarm);
  Add(ledger, 50, true);
  EXPECT_TRUE(ledger.standing().alarm);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kProven);  // by what was known then
}

TEST(Ledger, TheNextAttemptBeginsAnewWithLessToSpend) {
  Ledger ledger({});
  Add(ledger, 200, false);
  ledger.BeginServing();
  Add(ledger, 50, true);
  ledger.EndServing();
  const Standing standing = ledger.standing();
  EXPECT_EQ(standing.attempt, 2);
  EXPECT_FALSE(standing.candidate_serves);
  EXPECT_FALSE(standing.alarm);
  EXPECT_EQ(standing.verdict, Verdict::kUndecided);
  Add(ledger, 140, false);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kUndecided);  // was enough for the first
  Add(ledger, 60, false);
  EXPECT_EQ(ledger.TakeNews(), Verdict::kProven);
}

TEST(Ledger, WhatWasRejectedIsNotTriedAgainByItself) {
  Ledger ledger({});
  ledger.BeginServing();
  Add(ledger, 30, true);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kRejected);
  ledger.EndServing();
  EXPECT_EQ(ledger.standing().attempt, 1);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kRejected);
  ledger.BeginServing();  // by force
  EXPECT_EQ(ledger.standing().attempt, 2);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kUndecided);
}

TEST(Ledger, AccuracyDecidesWhereItIsKnown) {
  Ledger ledger({});
  Add(ledger, 200, false);
  for (int i = 0; i < 200; ++i) ledger.AddPair(true, i % 4 != 0);
  EXPECT_EQ(ledger.standing().verdict, Verdict::kRejected);
  ledger.AddOutcome(true, true);
  const Summary summary = ledger.Summarize();
  EXPECT_EQ(summary.pairs, 200);
  EXPECT_EQ(summary.baseline.right, 200);
  EXPECT_EQ(summary.candidate.outcomes, 201);
  EXPECT_EQ(summary.candidate.right, 151);
  EXPECT_DOUBLE_EQ(summary.accuracy.mean, 0.25);
  EXPECT_THAT(summary.reason, HasSubstr("25.00 % of accuracy lost in 200 requests"));
}

TEST(Ledger, NoiseHasItsOwnBudget) {
  Ledger ledger({.metric = Metric::kNoise});
  for (int i = 0; i < 2'000; ++i) ledger.Add(Answers(false));
  EXPECT_EQ(ledger.standing().verdict, Verdict::kProven);
  EXPECT_EQ(ledger.Summarize().changes.budget, 0.01);
}

TEST(Ledger, TheFirstOutputsDecideTheMetric) {
  Ledger ledger({});
  Comparison comparison = Answers(false);
  comparison.metric = Metric::kNoise;
  ledger.Add(comparison);
  comparison.metric = Metric::kAgreement;
  ledger.Add(comparison);
  EXPECT_EQ(ledger.Summarize().metric, Metric::kNoise);
}

TEST(Ledger, ComesBackAsItWas) {
  Ledger ledger({.subject = "a"});
  Add(ledger, 90, false);
  ledger.AddPair(true, false);
  ledger.IsNew(1);
  ledger.AddDropped();
  ledger.BeginServing();
  Add(ledger, 2, true);
  Ledger restored({.subject = "a"});
  ASSERT_TRUE(restored.Restore(ledger.Serialize()).ok());
  EXPECT_EQ(restored.Serialize(), ledger.Serialize());
  Add(ledger, 200, false);
  Add(restored, 200, false);
  EXPECT_EQ(restored.Serialize(), ledger.Serialize());
  EXPECT_EQ(restored.Summarize().reason, ledger.Summarize().reason);
}

TEST(Ledger, RefusesWhatIsDamagedNewerOrAboutSomethingElse) {
  Ledger ledger({.subject = "a"});
  Add(ledger, 200, false);
  const std::string blob = ledger.Serialize();
  const auto restore = [](const std::string& text, const Terms& terms) { return Ledger(terms).Restore(text).code(); };
  EXPECT_EQ(restore(blob, {.subject = "a"}), absl::StatusCode::kOk);
  EXPECT_EQ(restore(blob, {.subject = "b"}), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(restore(blob, {.subject = "a", .changed_budget = 0.01}), absl::StatusCode::kFailedPrecondition);
  for (size_t at = 0; at < blob.size(); at += 7) {
    std::string damaged = blob;
    damaged[at] ^= 1;
    EXPECT_NE(restore(damaged, {.subject = "a"}), absl::StatusCode::kOk) << at;
    EXPECT_EQ(restore(blob.substr(0, at), {.subject = "a"}), absl::StatusCode::kDataLoss) << at;
  }
  std::string newer = blob;
  newer.replace(newer.find(" 1 "), 3, " 2 ");
  EXPECT_EQ(restore(newer, {.subject = "a"}), absl::StatusCode::kUnimplemented);
}

TEST(Ledger, TakesEvidenceFromManyThreads) {
  Ledger ledger({});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&ledger] {
      for (int i = 0; i < 100; ++i) {
        ledger.Add(Answers(false));
        ledger.AddPair(true, true);
        ledger.Summarize();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ledger.Summarize().comparisons, 400);
  EXPECT_EQ(ledger.Summarize().pairs, 400);
}

class LedgersTest : public ::testing::Test {
 protected:
  Keeping KeepHere() {
    return {.load = [this](const std::string& key) -> std::optional<std::string> {
              const auto found = kept_.find(key);
              return found == kept_.end() ? std::nullopt : std::optional(found->second);
            },
            .save =
                [this](const std::vector<std::pair<std::string, std::string>>& blobs) {
                  for (const auto& [key, blob] : blobs) kept_[key] = blob;
                  ++saves_;
                },
            .on_warning = [this](const std::string& text) { warning_ = text; }};
  }

  const Pair pair_ = VariantsOf("m", 3);
  std::map<std::string, std::string> kept_;
  int saves_ = 0;
  std::string warning_;
};

TEST_F(LedgersTest, KeepsOneLedgerForAPair) {
  Ledgers ledgers;
  EXPECT_EQ(ledgers.Find(pair_), nullptr);
  const auto ledger = ledgers.Open(pair_, {.subject = "a"});
  EXPECT_EQ(ledgers.Open(pair_, {.subject = "a"}), ledger);
  EXPECT_EQ(ledgers.Find(pair_), ledger);
  EXPECT_NE(ledgers.Open(pair_, {.subject = "b"}), ledger);
  ledgers.Close(pair_);
  EXPECT_EQ(ledgers.Find(pair_), nullptr);
}

TEST_F(LedgersTest, SavesWhatChangedAndFindsItAgain) {
  {
    Ledgers ledgers(KeepHere());
    Add(*ledgers.Open(pair_, {.subject = "a"}), 5, false);
    ledgers.Save();
    ledgers.Save();
    EXPECT_EQ(saves_, 1);
    EXPECT_TRUE(kept_.contains("m/3/fp32/3/int8"));
  }
  Ledgers ledgers(KeepHere());
  EXPECT_EQ(ledgers.Open(pair_, {.subject = "a"})->Summarize().comparisons, 5);
  EXPECT_EQ(ledgers.Open(pair_, {.subject = "b"})->Summarize().comparisons, 0);
  EXPECT_EQ(warning_, "");
}

TEST_F(LedgersTest, StartsAnewWhereWhatWasKeptIsDamaged) {
  kept_["m/3/fp32/3/int8"] = "nonsense";
  Ledgers ledgers(KeepHere());
  EXPECT_EQ(ledgers.Open(pair_, {})->Summarize().comparisons, 0);
  EXPECT_THAT(warning_, HasSubstr("m/3/fp32/3/int8 starts anew"));
}

}  // namespace
}  // namespace tandem::evidence
