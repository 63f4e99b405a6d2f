// InferenceService: the synchronous methods of the public service. ModelInfer and ModelStreamInfer are served raw by
// the InferReceiver.
//
// Methods that this server does not have answer UNIMPLEMENTED and say so.
#ifndef TANDEM_SERVER_RPC_INFERENCE_SERVICE_H_
#define TANDEM_SERVER_RPC_INFERENCE_SERVICE_H_

#include <functional>
#include <utility>

#include "proto/inference.grpc.pb.h"
#include "server/models/registry.h"
#include "server/shared_memory/regions.h"

namespace tandem::rpc {

class InferenceService final
    : public inference::GRPCInferenceService::WithRawMethod_ModelInfer<
          inference::GRPCInferenceService::WithRawMethod_ModelStreamInfer<inference::GRPCInferenceService::Service>> {
 public:
  // `ready` tells whether the server as a whole takes requests. `regions`: the shared memory that clients register;
  // null: they may not.
  InferenceService(const models::Registry& registry, std::function<bool()> ready, shared_memory::Regions* regions)
      : registry_(registry), ready_(std::move(ready)), regions_(regions) {}

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
  const std::function<bool()> ready_;
  shared_memory::Regions* const regions_;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFERENCE_SERVICE_H_
