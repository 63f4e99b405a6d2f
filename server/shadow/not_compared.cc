#include "server/shadow/not_compared.h"

namespace tandem::shadow {
namespace {

// What requests that `version` answers are evidence about.
evidence::Pair PairOf(const models::Version& version) {
  const int64_t candidate = version.route.candidate_version;
  return candidate == 0 ? evidence::VariantsOf(version.model_name, version.number)
                        : evidence::VersionsOf(version.model_name, version.number, candidate);
}

}  // namespace

void CountNotCompared(const models::Registry& registry, const evidence::Ledgers& ledgers) {
  for (const models::VersionHandle& version : registry.AllLoaded()) {
    const auto ledger = ledgers.Find(PairOf(*version));
    if (ledger == nullptr) continue;
    for (const models::VariantHandle& variant : version->variants()) {
      ledger->AddDropped(variant->queue->metrics().TakeNotCompared());
    }
  }
}

}  // namespace tandem::shadow
