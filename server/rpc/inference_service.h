// InferenceService: the synchronous methods of the public service. ModelInfer and ModelStreamInfer are served raw by
// the InferReceiver.
//
// The port is public: whatever changes the server needs a flag, or is left to the admin port, and is PERMISSION_DENIED
// else. Thread-safe.
#ifndef TANDEM_SERVER_RPC_INFERENCE_SERVICE_H_
#define TANDEM_SERVER_RPC_INFERENCE_SERVICE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "proto/inference.grpc.pb.h"
#include "server/models/registry.h"
#include "server/settings/log_settings.h"
#include "server/shared_memory/regions.h"

namespace tandem::rpc {

// How clients load and unload models by name; empty functions: they may not.
struct ModelControl {
  std::function<absl::Status(const std::string& model)> load;
  std::function<absl::Status(const std::string& model)> unload;
};

struct InferenceServiceOptions {
  std::function<bool()> ready;                // whether the server as a whole takes requests
  ModelControl control;                       // thread-safe; blocks until it is done
  shared_memory::Regions* regions = nullptr;  // the shared memory that clients register; null: they may not
  const settings::LogSettings& log;
};

class InferenceService final
    : public inference::GRPCInferenceService::WithRawMethod_ModelInfer<
          inference::GRPCInferenceService::WithRawMethod_ModelStreamInfer<inference::GRPCInferenceService::Service>> {
 public:
  // What is given must outlive the service.
  InferenceService(const models::Registry& registry, const InferenceServiceOptions& options)
      : registry_(registry), options_(options) {}

  using Context = grpc::ServerContext;

  grpc::Status ServerLive(Context*, const inference::ServerLiveRequest*, inference::ServerLiveResponse*) override;
  grpc::Status ServerReady(Context*, const inference::ServerReadyRequest*, inference::ServerReadyResponse*) override;
  grpc::Status ModelReady(Context*, const inference::ModelReadyRequest*, inference::ModelReadyResponse*) override;
  grpc::Status ServerMetadata(Context*, const inference::ServerMetadataRequest*,
                              inference::ServerMetadataResponse*) override;
  grpc::Status ModelMetadata(Context*, const inference::ModelMetadataRequest*,
                             inference::ModelMetadataResponse*) override;
  grpc::Status ModelConfig(Context*, const inference::ModelConfigRequest*, inference::ModelConfigResponse*) override;
  grpc::Status ModelStatistics(Context*, const inference::ModelStatisticsRequest*,
                               inference::ModelStatisticsResponse*) override;
  grpc::Status RepositoryIndex(Context*, const inference::RepositoryIndexRequest*,
                               inference::RepositoryIndexResponse*) override;

  grpc::Status RepositoryModelLoad(Context*, const inference::RepositoryModelLoadRequest*,
                                   inference::RepositoryModelLoadResponse*) override;
  grpc::Status RepositoryModelUnload(Context*, const inference::RepositoryModelUnloadRequest*,
                                     inference::RepositoryModelUnloadResponse*) override;
  grpc::Status SystemSharedMemoryStatus(Context*, const inference::SystemSharedMemoryStatusRequest*,
                                        inference::SystemSharedMemoryStatusResponse*) override;
  grpc::Status SystemSharedMemoryRegister(Context*, const inference::SystemSharedMemoryRegisterRequest*,
                                          inference::SystemSharedMemoryRegisterResponse*) override;
  grpc::Status SystemSharedMemoryUnregister(Context*, const inference::SystemSharedMemoryUnregisterRequest*,
                                            inference::SystemSharedMemoryUnregisterResponse*) override;
  grpc::Status CudaSharedMemoryStatus(Context*, const inference::CudaSharedMemoryStatusRequest*,
                                      inference::CudaSharedMemoryStatusResponse*) override;
  grpc::Status CudaSharedMemoryRegister(Context*, const inference::CudaSharedMemoryRegisterRequest*,
                                        inference::CudaSharedMemoryRegisterResponse*) override;
  grpc::Status CudaSharedMemoryUnregister(Context*, const inference::CudaSharedMemoryUnregisterRequest*,
                                          inference::CudaSharedMemoryUnregisterResponse*) override;
  grpc::Status TraceSetting(Context*, const inference::TraceSettingRequest*, inference::TraceSettingResponse*) override;
  grpc::Status LogSettings(Context*, const inference::LogSettingsRequest*, inference::LogSettingsResponse*) override;

 private:
  const models::Registry& registry_;
  const InferenceServiceOptions options_;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFERENCE_SERVICE_H_
