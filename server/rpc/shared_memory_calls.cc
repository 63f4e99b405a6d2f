// The methods of InferenceService about shared memory.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/inference_service.h"
#include "server/rpc/status.h"

namespace tandem::rpc {
namespace {

grpc::Status Off() {
  return {grpc::StatusCode::PERMISSION_DENIED, "shared memory is off: the server was not started with --shared-memory"};
}

}  // namespace

grpc::Status InferenceService::SystemSharedMemoryStatus(Context*,
                                                        const inference::SystemSharedMemoryStatusRequest* request,
                                                        inference::SystemSharedMemoryStatusResponse* response) {
  if (options_.regions == nullptr) return Off();
  const auto regions = options_.regions->List(request->name());
  if (!regions.ok()) return ToGrpc(regions.status());
  for (const shared_memory::RegionSpec& spec : *regions) {
    auto& region = (*response->mutable_regions())[spec.name];
    region.set_name(spec.name);
    region.set_key(spec.key);
    region.set_offset(spec.offset);
    region.set_byte_size(spec.byte_size);
  }
  return grpc::Status::OK;
}

grpc::Status InferenceService::SystemSharedMemoryRegister(Context*,
                                                          const inference::SystemSharedMemoryRegisterRequest* request,
                                                          inference::SystemSharedMemoryRegisterResponse*) {
  if (options_.regions == nullptr) return Off();
  return ToGrpc(options_.regions->Register({.name = request->name(),
                                            .key = request->key(),
                                            .offset = request->offset(),
                                            .byte_size = request->byte_size()}));
}

grpc::Status InferenceService::SystemSharedMemoryUnregister(
    Context*, const inference::SystemSharedMemoryUnregisterRequest* request,
    inference::SystemSharedMemoryUnregisterResponse*) {
  if (options_.regions == nullptr) return Off();
  options_.regions->Unregister(request->name());
  return grpc::Status::OK;
}

// There is no memory of GPUs here, and never was any to unregister: clients tidy up without asking what there is.
grpc::Status InferenceService::CudaSharedMemoryStatus(Context*, const inference::CudaSharedMemoryStatusRequest* request,
                                                      inference::CudaSharedMemoryStatusResponse*) {
  if (request->name().empty()) return grpc::Status::OK;
  return {grpc::StatusCode::NOT_FOUND, "no CUDA shared memory region is registered: Tandem serves from CPUs"};
}

grpc::Status InferenceService::CudaSharedMemoryRegister(Context*, const inference::CudaSharedMemoryRegisterRequest*,
                                                        inference::CudaSharedMemoryRegisterResponse*) {
  return {grpc::StatusCode::UNIMPLEMENTED,
          "CUDA shared memory cannot be registered: Tandem serves from CPUs; use system shared memory"};
}

grpc::Status InferenceService::CudaSharedMemoryUnregister(Context*, const inference::CudaSharedMemoryUnregisterRequest*,
                                                          inference::CudaSharedMemoryUnregisterResponse*) {
  return grpc::Status::OK;
}

}  // namespace tandem::rpc
