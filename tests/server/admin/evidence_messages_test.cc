#include "server/admin/evidence_messages.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tandem::admin {
namespace {

const evidence::Pair kPair = evidence::VariantsOf("m", 1);

TEST(MessageOf, SaysWhichVersionsAreCompared) {
  const v1::CompareResponse message = MessageOf(evidence::VersionsOf("m", 7, 8), evidence::Summary());
  EXPECT_EQ(message.version(), 8);
  EXPECT_EQ(message.baseline_version(), 7);
  EXPECT_EQ(MessageOf(kPair, evidence::Summary()).baseline_version(), 0);
}

TEST(MessageOf, TellsWhatBothTook) {
  evidence::Summary summary;
  summary.baseline.latency.counts.front() = 2;
  summary.baseline.latency.counts.back() = 1;
  summary.baseline.latency.sum = 30'000'000'000;
  summary.candidate.outcomes = 5;
  summary.candidate.right = 4;
  const v1::CompareResponse message = MessageOf(evidence::VariantsOf("m", 7), summary);
  EXPECT_EQ(message.version(), 7);
  ASSERT_EQ(message.fp32().latency_size(), 2);  // empty buckets are left out
  EXPECT_DOUBLE_EQ(message.fp32().latency(0).at_most_seconds(), 25e-6);
  EXPECT_EQ(message.fp32().latency(0).count(), 2);
  EXPECT_TRUE(std::isinf(message.fp32().latency(1).at_most_seconds()));
  EXPECT_DOUBLE_EQ(message.fp32().mean_seconds(), 10);
  EXPECT_EQ(message.int8().outcomes(), 5);
  EXPECT_EQ(message.int8().outcomes_right(), 4);
  EXPECT_EQ(message.int8().mean_seconds(), 0);
}

TEST(MessageOf, TellsTheVerdictAndItsBounds) {
  evidence::Summary summary;
  EXPECT_EQ(MessageOf(kPair, summary).verdict(), "undecided");
  EXPECT_EQ(MessageOf(kPair, summary).metric(), "");
  summary.standing = {.attempt = 2, .candidate_serves = true, .verdict = evidence::Verdict::kProven, .alarm = true};
  summary.metric = evidence::Metric::kAgreement;
  summary.comparisons = 4;
  summary.outputs = {{.real = true, .rows = 8, .changed = 1, .noise = 2, .most_noise = 1.5, .cosine = 3},
                     {.rows = 4, .noise = 9}};
  summary.changes = {.samples = 4, .mean = 0.25, .bounds = {0.1, 0.5}, .budget = 0.05};
  const v1::CompareResponse message = MessageOf(kPair, summary);
  EXPECT_EQ(message.verdict(), "proven");
  EXPECT_EQ(message.attempt(), 2);
  EXPECT_TRUE(message.int8_serves() && message.alarm());
  EXPECT_EQ(message.metric(), "agreement");
  EXPECT_EQ(message.outputs(0).changed_rows(), 1);
  EXPECT_DOUBLE_EQ(message.outputs(0).mean_noise(), 0.5);
  EXPECT_DOUBLE_EQ(message.outputs(0).mean_cosine(), 0.75);
  EXPECT_EQ(message.outputs(1).mean_noise(), 0);  // of whole numbers it means nothing
  EXPECT_EQ(message.changes().lower_bound(), 0.1);
  EXPECT_EQ(message.changes().upper_bound(), 0.5);
}

}  // namespace
}  // namespace tandem::admin
