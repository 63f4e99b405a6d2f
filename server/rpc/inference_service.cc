#include "server/rpc/inference_service.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/rpc/model_messages.h"
#include "server/rpc/status.h"
#include "server/version.h"

namespace tandem::rpc {
namespace {

// What clients may rely on, by Triton's names.
constexpr const char* kExtensions[] = {"model_configuration", "statistics", "model_repository", "schedule_policy"};

}  // namespace

grpc::Status InferenceService::ServerLive(Context*, const inference::ServerLiveRequest*,
                                          inference::ServerLiveResponse* response) {
  response->set_live(true);
  return grpc::Status::OK;
}

grpc::Status InferenceService::ServerReady(Context*, const inference::ServerReadyRequest*,
                                           inference::ServerReadyResponse* response) {
  response->set_ready(options_.ready());
  return grpc::Status::OK;
}

grpc::Status InferenceService::ModelReady(Context*, const inference::ModelReadyRequest* request,
                                          inference::ModelReadyResponse* response) {
  const auto version = registry_.Find(request->name(), request->version());
  if (absl::IsNotFound(version.status())) return ToGrpc(version.status());
  response->set_ready(version.ok());
  return grpc::Status::OK;
}

grpc::Status InferenceService::ServerMetadata(Context*, const inference::ServerMetadataRequest*,
                                              inference::ServerMetadataResponse* response) {
  response->set_name("tandem");
  response->set_version(kTandemVersion);
  for (const char* extension : kExtensions) response->add_extensions(extension);
  if (options_.regions != nullptr) response->add_extensions("system_shared_memory");
  return grpc::Status::OK;
}

grpc::Status InferenceService::ModelMetadata(Context*, const inference::ModelMetadataRequest* request,
                                             inference::ModelMetadataResponse* response) {
  const auto version = registry_.Find(request->name(), request->version());
  if (!version.ok()) return ToGrpc(version.status());
  *response = MetadataOf(**version, registry_.PublishedNumbers((*version)->model_name));
  return grpc::Status::OK;
}

grpc::Status InferenceService::ModelConfig(Context*, const inference::ModelConfigRequest* request,
                                           inference::ModelConfigResponse* response) {
  const auto version = registry_.Find(request->name(), request->version());
  if (!version.ok()) return ToGrpc(version.status());
  *response->mutable_config() = ConfigOf(**version);
  return grpc::Status::OK;
}

grpc::Status InferenceService::ModelStatistics(Context*, const inference::ModelStatisticsRequest* request,
                                               inference::ModelStatisticsResponse* response) {
  if (!request->version().empty()) {
    const auto version = registry_.Find(request->name(), request->version());
    if (!version.ok()) return ToGrpc(version.status());
    *response->add_model_stats() = StatisticsOf(**version);
    return grpc::Status::OK;
  }
  for (const models::VersionHandle& version : registry_.Published()) {
    if (!request->name().empty() && request->name() != version->model_name) continue;
    *response->add_model_stats() = StatisticsOf(*version);
  }
  if (!request->name().empty() && response->model_stats().empty()) {
    return ToGrpc(registry_.Find(request->name(), "").status());
  }
  return grpc::Status::OK;
}

}  // namespace tandem::rpc
