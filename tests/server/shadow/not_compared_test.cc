#include "server/shadow/not_compared.h"

#include <gtest/gtest.h>

#include "server/shadow/candidacies.h"
#include "tests/server/shadow/pair.h"

namespace tandem::shadow {
namespace {

TEST(CountNotCompared, TakesWhatFoundNoRoomIntoTheEvidenceOnce) {
  PublishedPair pair;
  const models::VersionHandle before = pair.version();
  before->fp32->queue->metrics().NotCompared();
  CountNotCompared(pair.registry, pair.ledgers);  // there is no evidence yet
  pair.Join("Identity", quantization::Verdict::kInconclusive);
  for (const models::VariantHandle& variant : pair.version()->variants()) variant->queue->metrics().NotCompared();
  for (int i = 0; i < 2; ++i) {
    CountNotCompared(pair.registry, pair.ledgers);
    EXPECT_EQ(pair.ledger()->Summarize().dropped, 3);
  }
}

TEST(CountNotCompared, BetweenVersionsItIsEvidenceAboutThem) {
  PublishedPair pair;
  pair.Join("Identity", quantization::Verdict::kInconclusive);
  pair.AddCandidate("Neg");
  Candidacies candidacies(pair.registry, pair.ledgers);
  candidacies.Follow("m", {});
  pair.version()->fp32->queue->metrics().NotCompared();
  CountNotCompared(pair.registry, pair.ledgers);
  EXPECT_EQ(pair.ledger_of_versions()->Summarize().dropped, 1);
  EXPECT_EQ(pair.ledger()->Summarize().dropped, 0);
}

}  // namespace
}  // namespace tandem::shadow
