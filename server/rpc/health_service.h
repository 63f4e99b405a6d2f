// HealthService: grpc.health.v1, synchronous.
//
// "" and the inference service follow the server's readiness; any other name is a model's. Thread-safe.
#ifndef TANDEM_SERVER_RPC_HEALTH_SERVICE_H_
#define TANDEM_SERVER_RPC_HEALTH_SERVICE_H_

#include <functional>
#include <string>

#include "engine/mutex.h"
#include "proto/health.grpc.pb.h"
#include "server/models/registry.h"
#include "server/sync/cond_var.h"

namespace tandem::rpc {

class HealthService final : public grpc::health::v1::Health::Service {
 public:
  HealthService(const models::Registry& registry, std::function<bool()> ready)
      : registry_(registry), ready_(std::move(ready)) {}

  grpc::Status Check(grpc::ServerContext*, const grpc::health::v1::HealthCheckRequest*,
                     grpc::health::v1::HealthCheckResponse*) override;
  grpc::Status Watch(grpc::ServerContext*, const grpc::health::v1::HealthCheckRequest*,
                     grpc::ServerWriter<grpc::health::v1::HealthCheckResponse>*) override;

  // Ends every Watch, after telling it the last status: the server shuts down.
  void Stop();

 private:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;
  Status StatusOf(const std::string& service) const;

  const models::Registry& registry_;
  const std::function<bool()> ready_;

  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int watchers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_HEALTH_SERVICE_H_
