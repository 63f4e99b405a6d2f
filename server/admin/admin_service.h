// AdminService: tandem.admin.v1.Admin, synchronous. Thread-safe.
#ifndef TANDEM_SERVER_ADMIN_ADMIN_SERVICE_H_
#define TANDEM_SERVER_ADMIN_ADMIN_SERVICE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/mutex.h"
#include "proto/tandem/admin/v1/admin.grpc.pb.h"
#include "server/admin/token.h"
#include "server/evidence/ledgers.h"
#include "server/models/loader.h"
#include "server/models/registry.h"
#include "server/quantization/evaluator.h"
#include "server/routing/routes.h"
#include "server/rpc/status.h"
#include "server/settings/log_settings.h"
#include "server/shadow/outcomes.h"
#include "server/shadow/promoter.h"
#include "server/state/store.h"
#include "server/state/writer.h"
#include "server/sync/cond_var.h"

namespace tandem::admin {

// What the service acts on; all outlive it.
struct AdminParts {
  models::Registry& registry;
  models::Loader& loader;
  routing::Routes& routes;
  state::StateStore& store;
  evidence::Ledgers& ledgers;
  shadow::Promoter& promoter;
  shadow::Outcomes& outcomes;
  state::Writer& writer;  // of evidence and history
  quantization::Evaluator& evaluator;
  settings::LogSettings& log;
};

class AdminService final : public v1::Admin::Service {
 public:
  AdminService(const AdminParts& parts, Token token) : parts_(parts), token_(std::move(token)) {}

  using Context = grpc::ServerContext;

  grpc::Status ListModels(Context*, const v1::ListModelsRequest*, v1::ListModelsResponse*) override;
  grpc::Status GetModel(Context*, const v1::GetModelRequest*, v1::GetModelResponse*) override;
  grpc::Status LoadModel(Context*, const v1::LoadModelRequest*, v1::LoadModelResponse*) override;
  grpc::Status UnloadModel(Context*, const v1::UnloadModelRequest*, v1::UnloadModelResponse*) override;
  grpc::Status Rollback(Context*, const v1::RollbackRequest*, v1::RollbackResponse*) override;
  grpc::Status Quantize(Context*, const v1::QuantizeRequest*, grpc::ServerWriter<v1::QuantizeResponse>*) override;
  grpc::Status CancelQuantize(Context*, const v1::CancelQuantizeRequest*, v1::CancelQuantizeResponse*) override;
  grpc::Status GetRoute(Context*, const v1::GetRouteRequest*, v1::GetRouteResponse*) override;
  grpc::Status SetRoute(Context*, const v1::SetRouteRequest*, v1::SetRouteResponse*) override;
  grpc::Status ClearRoute(Context*, const v1::ClearRouteRequest*, v1::ClearRouteResponse*) override;
  // evidence_calls.cc
  grpc::Status Promote(Context*, const v1::PromoteRequest*, v1::PromoteResponse*) override;
  grpc::Status Demote(Context*, const v1::DemoteRequest*, v1::DemoteResponse*) override;
  grpc::Status Compare(Context*, const v1::CompareRequest*, v1::CompareResponse*) override;
  grpc::Status ReportOutcome(Context*, const v1::ReportOutcomeRequest*, v1::ReportOutcomeResponse*) override;
  grpc::Status GetHistory(Context*, const v1::GetHistoryRequest*, v1::GetHistoryResponse*) override;
  // evaluate_call.cc
  grpc::Status Evaluate(Context*, grpc::ServerReaderWriter<v1::EvaluateResponse, v1::EvaluateRequest>*) override;

  // Ends evaluations and the calls that follow a build: the server shuts down.
  void Stop();

 private:
  // Answers with what `body` returns, if the caller may call at all.
  template <typename Body>
  grpc::Status Answer(const Context& context, Body body) const {
    const absl::Status admitted = Admit(context);
    return rpc::ToGrpc(admitted.ok() ? body() : admitted);
  }
  absl::Status Admit(const Context& context) const;
  // Whose change it is. INVALID_ARGUMENT when the note is too long to be kept.
  absl::StatusOr<state::Author> AuthorOf(const Context& context, const v1::ChangeNote& note) const;
  // For the history: what has been done.
  absl::Status Record(const std::string& model, int64_t version, const char* kind, const state::Author& author,
                      const std::string& detail = "{}");
  // Returns when evidence is kept as it is now; an error when something was lost since there were so many losses.
  absl::Status KeepEvidence(uint64_t losses);
  // The route of a model has changed: another candidate is loaded, and takes no requests or some from now on.
  void Realign(const std::string& model, const config::RouteConfig& before, const config::RouteConfig& after);
  v1::Version Shown(const models::Version& version) const;
  absl::Status CompareVersions(const models::Version& primary, v1::CompareResponse& response) const;
  // Tells of the build of a version's int8 until it ends.
  absl::Status Follow(const Context& context, const std::string& model, int64_t version,
                      grpc::ServerWriter<v1::QuantizeResponse>& writer);
  // Waits a moment; false when the server shuts down.
  bool WaitForProgress();

  const AdminParts parts_;
  const Token token_;

  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_ADMIN_SERVICE_H_
