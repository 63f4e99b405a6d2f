#include "server/routing/candidate.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/models/load_variant.h"

namespace tandem::routing {
namespace {

absl::Status WhyNotPublished(const models::VersionStatus& status) {
  const std::string name = absl::StrCat("version ", status.version);
  if (status.state == models::State::kUnloaded && status.reason.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(name, " is not there"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(name, " is ", NameOf(status.state), status.reason.empty() ? "" : ": ", status.reason));
}

}  // namespace

absl::StatusOr<models::VersionHandle> FindCandidate(const models::Registry& registry, const models::Version& primary) {
  const int64_t number = primary.route.candidate_version;
  const std::string name = absl::StrCat("version ", number);
  if (primary.is_candidate()) {
    return absl::FailedPreconditionError(
        absl::StrCat("no other version serves that ", name, " could be compared with"));
  }
  models::VersionHandle candidate = registry.Serving(primary.model_name, number);
  if (candidate == nullptr) return WhyNotPublished(registry.Get(primary.model_name, number));
  const std::string other = absl::StrCat("version ", primary.number);
  TANDEM_RETURN_IF_ERROR(
      engine::WithContext(models::CheckSameSignature(*primary.fp32->model, *candidate->fp32->model, other),
                          absl::StrCat(name, " cannot be compared with ", other)));
  return candidate;
}

}  // namespace tandem::routing
