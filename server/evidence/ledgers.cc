#include "server/evidence/ledgers.h"

#include "absl/strings/str_cat.h"

namespace tandem::evidence {

Pair VariantsOf(const std::string& model, int64_t version) {
  return {.model = model, .baseline = {version, "fp32"}, .candidate = {version, "int8"}};
}

Pair VersionsOf(const std::string& model, int64_t baseline, int64_t candidate) {
  return {.model = model, .baseline = {baseline, "fp32"}, .candidate = {candidate, "fp32"}};
}

std::string KeyOf(const Pair& pair) {
  return absl::StrCat(pair.model, "/", pair.baseline.version, "/", pair.baseline.variant, "/", pair.candidate.version,
                      "/", pair.candidate.variant);
}

std::shared_ptr<Ledger> Ledgers::Open(const Pair& pair, const Terms& terms) {
  if (auto open = Find(pair); open != nullptr && open->terms() == terms) return open;
  auto ledger = std::make_shared<Ledger>(terms);
  const std::optional<std::string> kept = keeping_.load ? keeping_.load(KeyOf(pair)) : std::nullopt;
  const absl::Status restored = kept.has_value() ? ledger->Restore(*kept) : absl::OkStatus();
  // Other terms are nothing to worry about: the sibling has been replaced.
  if (!restored.ok() && !absl::IsFailedPrecondition(restored) && keeping_.on_warning) {
    keeping_.on_warning(absl::StrCat("evidence of ", KeyOf(pair), " starts anew: ", restored.message()));
  }
  MutexLock lock(mutex_);
  open_[pair] = ledger;
  return ledger;
}

std::shared_ptr<Ledger> Ledgers::Find(const Pair& pair) const {
  MutexLock lock(mutex_);
  const auto found = open_.find(pair);
  return found == open_.end() ? nullptr : found->second;
}

std::vector<std::pair<Pair, std::shared_ptr<Ledger>>> Ledgers::All() const {
  MutexLock lock(mutex_);
  return {open_.begin(), open_.end()};
}

void Ledgers::Close(const Pair& pair) {
  Save();
  MutexLock lock(mutex_);
  open_.erase(pair);
}

void Ledgers::Save() {
  if (!keeping_.save) return;
  MutexLock saving(save_mutex_);
  std::vector<std::pair<std::string, std::string>> blobs;
  for (const auto& [pair, ledger] : All()) {
    if (std::optional<std::string> blob = ledger->SerializeIfChanged())
      blobs.emplace_back(KeyOf(pair), *std::move(blob));
  }
  if (!blobs.empty()) keeping_.save(blobs);
}

}  // namespace tandem::evidence
