// The methods of AdminService about evidence: what is known of int8, and what follows from it.
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/admin/admin_service.h"
#include "server/admin/evidence_messages.h"
#include "server/admin/messages.h"
#include "server/routing/candidate.h"
#include "server/shadow/not_compared.h"

namespace tandem::admin {

v1::Version AdminService::Shown(const models::Version& version) const {
  return MessageOf(models::VersionStatus{version.model_name, version.number, models::State::kPublished, ""},
                   parts_.registry);
}

absl::Status AdminService::KeepEvidence(uint64_t losses) {
  parts_.ledgers.Save();
  absl::Status kept = parts_.writer.Write({});
  if (kept.ok() && parts_.writer.losses() != losses) kept = absl::UnavailableError("the state could not be written");
  return engine::WithContext(kept, "it was done, but is not kept");
}

grpc::Status AdminService::Promote(Context* context, const v1::PromoteRequest* request, v1::PromoteResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    const std::string& model = request->model();
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_ASSIGN_OR_RETURN(const models::VersionHandle version, parts_.registry.Find(model, ""));
    const uint64_t losses = parts_.writer.losses();
    TANDEM_RETURN_IF_ERROR(parts_.promoter.Promote(model, version->number, request->force()));
    TANDEM_RETURN_IF_ERROR(KeepEvidence(losses));
    const char* detail = request->force() ? R"({"force":true})" : R"({"force":false})";
    TANDEM_RETURN_IF_ERROR(Record(model, version->number, "promote", author, detail));
    *response->mutable_version() = Shown(*version);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::Demote(Context* context, const v1::DemoteRequest* request, v1::DemoteResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    const std::string& model = request->model();
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_ASSIGN_OR_RETURN(const models::VersionHandle version, parts_.registry.Find(model, ""));
    const uint64_t losses = parts_.writer.losses();
    TANDEM_RETURN_IF_ERROR(parts_.promoter.Demote(model, version->number, absl::StrCat("asked for by ", author.who)));
    TANDEM_RETURN_IF_ERROR(KeepEvidence(losses));
    TANDEM_RETURN_IF_ERROR(Record(model, version->number, "demote", author));
    *response->mutable_version() = Shown(*version);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::Compare(Context* context, const v1::CompareRequest* request, v1::CompareResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    shadow::CountNotCompared(parts_.registry, parts_.ledgers);
    const std::string number = request->version() == 0 ? "" : absl::StrCat(request->version());
    TANDEM_ASSIGN_OR_RETURN(const models::VersionHandle version, parts_.registry.Find(request->model(), number));
    if (request->version() == 0 && version->route.between_versions()) return CompareVersions(*version, *response);
    const auto ledger = parts_.ledgers.Find(evidence::VariantsOf(version->model_name, version->number));
    if (ledger == nullptr || version->int8 == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("nothing is compared: ", Describe(version->lane)));
    }
    *response = MessageOf(evidence::VariantsOf(version->model_name, version->number), ledger->Summarize());
    return absl::OkStatus();
  });
}

absl::Status AdminService::CompareVersions(const models::Version& primary, v1::CompareResponse& response) const {
  const auto candidate = routing::FindCandidate(parts_.registry, primary);
  if (!candidate.ok()) return engine::WithContext(candidate.status(), "nothing is compared");
  const evidence::Pair pair = evidence::VersionsOf(primary.model_name, primary.number, (*candidate)->number);
  const auto ledger = parts_.ledgers.Find(pair);
  if (ledger == nullptr) return absl::UnavailableError("nothing is compared yet: the candidate has just come");
  response = MessageOf(pair, ledger->Summarize());
  return absl::OkStatus();
}

grpc::Status AdminService::ReportOutcome(Context* context, const v1::ReportOutcomeRequest* request,
                                         v1::ReportOutcomeResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    const std::string &model = request->model(), &id = request->request_id();
    if (request->outcome_case() == v1::ReportOutcomeRequest::OUTCOME_NOT_SET) {
      return absl::InvalidArgumentError("expected `right` or `label`");
    }
    TANDEM_ASSIGN_OR_RETURN(const shadow::Outcome outcome,
                            request->has_label() ? parts_.outcomes.Report(model, id, request->label(), Now())
                                                 : parts_.outcomes.ReportRight(model, id, request->right(), Now()));
    response->set_version(outcome.version);
    response->set_variant(std::string(NameOf(outcome.by)));
    response->set_right(outcome.right);
    if (outcome.other_right.has_value()) response->set_other_right(*outcome.other_right);
    return absl::OkStatus();
  });
}

}  // namespace tandem::admin
