#include "server/rpc/health_service.h"

#include "absl/status/status.h"

namespace tandem::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

// Each watcher occupies a thread of the synchronous server.
constexpr int kMaxWatchers = 32;
// How soon a watcher sees a change.
constexpr Duration kWatchInterval = std::chrono::milliseconds(200);

}  // namespace

HealthService::Status HealthService::StatusOf(const std::string& service) const {
  if (service.empty() || service == "inference.GRPCInferenceService") {
    return ready_() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  }
  const absl::Status found = registry_.Find(service, "").status();
  if (absl::IsNotFound(found)) return HealthCheckResponse::SERVICE_UNKNOWN;
  return found.ok() && ready_() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

grpc::Status HealthService::Check(grpc::ServerContext*, const HealthCheckRequest* request,
                                  HealthCheckResponse* response) {
  const Status status = StatusOf(request->service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    return {grpc::StatusCode::NOT_FOUND, "unknown service: " + request->service()};
  }
  response->set_status(status);
  return grpc::Status::OK;
}

grpc::Status HealthService::Watch(grpc::ServerContext* context, const HealthCheckRequest* request,
                                  grpc::ServerWriter<HealthCheckResponse>* writer) {
  MutexLock lock(mutex_);
  if (watchers_ >= kMaxWatchers) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many health watchers"};
  ++watchers_;
  HealthCheckResponse last;
  last.set_status(HealthCheckResponse::UNKNOWN);
  while (true) {
    const bool stopping = stopping_;
    mutex_.Unlock();
    const Status status = StatusOf(request->service());
    bool open = !context->IsCancelled();
    if (open && status != last.status()) {
      last.set_status(status);
      open = writer->Write(last);
    }
    mutex_.Lock();
    if (!open || stopping) break;
    if (!stopping_) stop_.WaitUntil(mutex_, Now() + kWatchInterval);
  }
  --watchers_;
  return grpc::Status::OK;
}

void HealthService::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  stop_.NotifyAll();
}

}  // namespace tandem::rpc
