// GrpcServer: the public port: inference, health and reflection.
#ifndef TANDEM_SERVER_RPC_GRPC_SERVER_H_
#define TANDEM_SERVER_RPC_GRPC_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/models/registry.h"
#include "server/rpc/credentials.h"
#include "server/rpc/health_service.h"
#include "server/rpc/infer_receiver.h"
#include "server/rpc/inference_service.h"
#include "server/scheduling/dispatcher.h"
#include "server/shared_memory/regions.h"
#include "server/sync/time.h"

namespace tandem::rpc {

struct GrpcServerOptions {
  std::string address;  // HOST:PORT, port 0: any free
  int64_t max_message_size = 64 << 20;
  Duration max_connection_age{0};  // about; then the client is asked to open another one. 0: never
  std::function<bool()> ready;     // whether the server takes requests
  bool shared_memory = false;      // clients may register theirs
  ModelControl control;            // how clients load and unload models; empty: they may not
  const settings::LogSettings& log;
  TlsFiles tls;  // none: plain text
  // Both outlive the server.
  shadow::Runner* shadow_runner = nullptr;  // compares a share of the requests
  shadow::Outcomes* outcomes = nullptr;     // keeps answers until clients tell whether they were right
  RequestLogOptions request_log = {};       // what is written of single requests
};

class GrpcServer {
 public:
  // Listens at once. UNAVAILABLE when the address cannot be bound, INVALID_ARGUMENT when a file for TLS is no good.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options, models::Registry& registry,
                                                           scheduling::Dispatcher& dispatcher,
                                                           scheduling::InlineRunner& inline_runner);
  // Cancels what has not been drained.
  ~GrpcServer();

  // Closes the listener, lets calls in flight end and returns when they have. Those that have not by `deadline`,
  // because their clients do not take the answers say, are cancelled then.
  void Drain(Time deadline);

  // HOST:PORT as bound.
  const std::string& address() const { return address_; }
  const InferReceiver& receiver() const { return *receiver_; }

 private:
  GrpcServer(const GrpcServerOptions& options, models::Registry& registry);

  std::unique_ptr<shared_memory::Regions> regions_;  // null: off
  const std::unique_ptr<RequestLog> request_log_;
  InferenceService inference_;
  HealthService health_;
  std::string address_;
  std::unique_ptr<InferReceiver> receiver_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_GRPC_SERVER_H_
