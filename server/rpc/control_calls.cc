// The methods of InferenceService about the repository, the log and tracing.
#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/infer_request.h"
#include "server/rpc/inference_service.h"
#include "server/rpc/log_messages.h"
#include "server/rpc/model_messages.h"
#include "server/rpc/status.h"

namespace tandem::rpc {
namespace {

// Repositories are told apart by nobody: a model's name is enough.
absl::Status CheckRepository(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("repository_name ", Quoted(name), ": repositories are not told apart by name; leave it empty"));
}

absl::Status CheckControl(const ModelControl& control) {
  if (control.load != nullptr) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "loading and unloading are off on this port: the server was not started with --model-control");
}

absl::Status ReadOnly(absl::string_view what) {
  return absl::PermissionDeniedError(
      absl::StrCat(what, " can only be read on this port; what can be changed is on the admin port (--admin-address)"));
}

// What Triton calls a model's configuration and files in place of those in the repository.
template <typename Parameters>
absl::Status CheckNoOverrides(const Parameters& parameters) {
  for (const auto& [key, value] : parameters) {
    if (key == "unload_dependents") continue;  // no model here depends on another
    return absl::InvalidArgumentError(absl::StrCat(
        "parameter ", Quoted(key), ": models are loaded as they are in their repository; nothing can be overridden"));
  }
  return absl::OkStatus();
}

}  // namespace

grpc::Status InferenceService::RepositoryIndex(Context*, const inference::RepositoryIndexRequest* request,
                                               inference::RepositoryIndexResponse* response) {
  if (const absl::Status status = CheckRepository(request->repository_name()); !status.ok()) return ToGrpc(status);
  for (const models::VersionStatus& status : registry_.List()) {
    if (request->ready() && status.state != models::State::kPublished) continue;
    inference::RepositoryIndexResponse::ModelIndex& model = *response->add_models();
    model.set_name(status.model);
    model.set_version(absl::StrCat(status.version));
    model.set_state(IndexState(status.state));
    model.set_reason(status.reason);
  }
  return grpc::Status::OK;
}

grpc::Status InferenceService::RepositoryModelLoad(Context*, const inference::RepositoryModelLoadRequest* request,
                                                   inference::RepositoryModelLoadResponse*) {
  absl::Status status = CheckControl(options_.control);
  if (status.ok()) status = CheckRepository(request->repository_name());
  if (status.ok()) status = CheckNoOverrides(request->parameters());
  if (status.ok()) status = options_.control.load(request->model_name());
  return ToGrpc(status);
}

grpc::Status InferenceService::RepositoryModelUnload(Context*, const inference::RepositoryModelUnloadRequest* request,
                                                     inference::RepositoryModelUnloadResponse*) {
  absl::Status status = CheckControl(options_.control);
  if (status.ok()) status = CheckRepository(request->repository_name());
  if (status.ok()) status = CheckNoOverrides(request->parameters());
  if (status.ok()) status = options_.control.unload(request->model_name());
  return ToGrpc(status);
}

grpc::Status InferenceService::TraceSetting(Context*, const inference::TraceSettingRequest* request,
                                            inference::TraceSettingResponse* response) {
  if (!request->settings().empty()) return ToGrpc(ReadOnly("tracing"));
  if (!request->model_name().empty()) {
    const absl::Status found = registry_.Find(request->model_name(), "").status();
    if (absl::IsNotFound(found)) return ToGrpc(found);
  }
  (*response->mutable_settings())["trace_level"].add_value("OFF");  // nothing is traced
  return grpc::Status::OK;
}

grpc::Status InferenceService::LogSettings(Context*, const inference::LogSettingsRequest* request,
                                           inference::LogSettingsResponse* response) {
  if (!request->settings().empty()) return ToGrpc(ReadOnly("the log's settings"));
  *response = LogMessageOf(options_.log);
  return grpc::Status::OK;
}

}  // namespace tandem::rpc
