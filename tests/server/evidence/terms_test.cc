#include "server/evidence/terms.h"

#include <gtest/gtest.h>

namespace tandem::evidence {
namespace {

using quantization::Loss;
using quantization::Report;
using quantization::Verdict;

Report Judged(const std::string& metric, Verdict verdict = Verdict::kInconclusive) {
  return {.verdict = verdict, .artifact_sha256 = "f00d", .loss = Loss{.metric = metric}};
}

TEST(TermsFor, HaveDefaults) {
  const Terms terms = TermsFor({}, {.artifact_sha256 = "f00d"});
  EXPECT_EQ(terms.subject, "f00d");
  EXPECT_EQ(terms.metric, std::nullopt);
  EXPECT_EQ(terms.changed_budget, 0.05);
  EXPECT_EQ(terms.accuracy_budget, 0.01);
  EXPECT_NEAR(terms.alpha, 0.05, 1e-12);
}

TEST(TermsFor, FollowTheMetricOfTheOwnerBeforeThatOfTheReport) {
  EXPECT_EQ(TermsFor({}, Judged("agreement")).metric, Metric::kAgreement);
  EXPECT_EQ(TermsFor({}, Judged("sqnr")).metric, Metric::kNoise);
  EXPECT_EQ(TermsFor({.metric = "agreement"}, Judged("sqnr")).metric, Metric::kAgreement);
}

TEST(TermsFor, ALossOfAccuracyIsNotAShareOfChangedAnswers) {
  EXPECT_EQ(TermsFor({.max_loss = 0.002}, Judged("top1")).accuracy_budget, 0.002);
  EXPECT_EQ(TermsFor({.max_loss = 0.002}, Judged("top1")).changed_budget, 0.05);
  EXPECT_EQ(TermsFor({.max_loss = 0.002}, Judged("agreement")).changed_budget, 0.002);
}

TEST(TermsFor, DecibelsAreAShareOfPower) {
  EXPECT_DOUBLE_EQ(TermsFor({.metric = "sqnr", .min_db = 30}, {}).noise_budget, 0.001);
}

TEST(TermsFor, ProvenAccuracyAllowsMoreChanges) {
  EXPECT_EQ(TermsFor({}, Judged("top1", Verdict::kProven)).changed_budget, 0.1);
  EXPECT_EQ(TermsFor({}, Judged("agreement", Verdict::kProven)).changed_budget, 0.05);
}

}  // namespace
}  // namespace tandem::evidence
