#include "server/shadow/candidacies.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/server/shadow/pair.h"

namespace tandem::shadow {
namespace {

class CandidaciesTest : public ::testing::Test {
 protected:
  CandidaciesTest() { pair_.AddCandidate("Neg"); }

  PublishedPair pair_;
  Candidacies candidacies_{pair_.registry, pair_.ledgers};
};

TEST_F(CandidaciesTest, EvidenceIsOpenWhileVersionsAreCompared) {
  EXPECT_EQ(pair_.ledger_of_versions(), nullptr);
  candidacies_.Follow("m", {});
  const auto ledger = pair_.ledger_of_versions();
  ASSERT_NE(ledger, nullptr);
  candidacies_.Follow("m", {});
  EXPECT_EQ(pair_.ledger_of_versions(), ledger) << "it is the same one";
  pair_.CompareWith(0);
  candidacies_.Follow("m", {});
  EXPECT_EQ(pair_.ledger_of_versions(), nullptr);
}

TEST_F(CandidaciesTest, EvidenceEndsWithEitherVersion) {
  for (const int64_t number : {1, 2}) {
    candidacies_.Follow("m", {});
    candidacies_.Ends("m", 3);
    candidacies_.Ends("n", number);
    EXPECT_NE(pair_.ledger_of_versions(), nullptr);
    candidacies_.Ends("m", number);
    EXPECT_EQ(pair_.ledger_of_versions(), nullptr);
  }
}

TEST_F(CandidaciesTest, TheOwnersBudgetsCount) {
  candidacies_.Follow("m", {.metric = "agreement", .max_loss = 0.2});
  EXPECT_EQ(pair_.ledger_of_versions()->terms().changed_budget, 0.2);
  EXPECT_EQ(pair_.ledger_of_versions()->terms().metric, evidence::Metric::kAgreement);
  candidacies_.Follow("m", {.metric = "agreement", .max_loss = 0.3});
  EXPECT_EQ(pair_.ledger_of_versions()->terms().changed_budget, 0.3);
}

TEST_F(CandidaciesTest, OtherFilesInTheirPlaceAreOtherEvidence) {
  candidacies_.Follow("m", {});
  const auto before = pair_.ledger_of_versions();
  pair_.registry.Change("m", 2, [](models::Version& version) { version.stamp = "another"; });
  candidacies_.Follow("m", {});
  EXPECT_NE(pair_.ledger_of_versions(), before);
}

}  // namespace
}  // namespace tandem::shadow
