#include "server/shadow/candidacies.h"

#include "absl/strings/str_cat.h"
#include "server/evidence/terms.h"
#include "server/routing/candidate.h"

namespace tandem::shadow {

void Candidacies::Follow(const std::string& model, const config::QuantizationConfig& settings) {
  const auto primary = registry_.Find(model, "");
  if (!primary.ok() || !(*primary)->route.between_versions()) return Close(model);
  const auto candidate = routing::FindCandidate(registry_, **primary);
  if (!candidate.ok()) return Close(model);
  const evidence::Pair pair = evidence::VersionsOf(model, (*primary)->number, (*candidate)->number);
  if (const auto open = open_.find(model); open != open_.end() && open->second != pair) Close(model);
  ledgers_.Open(pair,
                evidence::TermsForVersions(settings, absl::StrCat((*primary)->stamp, " and ", (*candidate)->stamp)));
  open_[model] = pair;
}

void Candidacies::Ends(const std::string& model, int64_t version) {
  const auto open = open_.find(model);
  if (open == open_.end()) return;
  if (open->second.baseline.version == version || open->second.candidate.version == version) Close(model);
}

void Candidacies::Close(const std::string& model) {
  const auto open = open_.find(model);
  if (open == open_.end()) return;
  ledgers_.Close(open->second);
  open_.erase(open);
}

}  // namespace tandem::shadow
