// AdminServer: the admin port: the admin service, the log's settings, health and reflection.
#ifndef TANDEM_SERVER_ADMIN_ADMIN_SERVER_H_
#define TANDEM_SERVER_ADMIN_ADMIN_SERVER_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/admin/admin_service.h"
#include "server/admin/log_service.h"
#include "server/admin/token.h"
#include "server/rpc/health_service.h"
#include "server/sync/time.h"

namespace tandem::admin {

struct AdminServerOptions {
  std::string address;  // HOST:PORT, port 0: any free
  Token token;
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  std::function<bool()> ready;  // whether the server takes requests
};

class AdminServer {
 public:
  // Listens at once. UNAVAILABLE when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const AdminServerOptions& options, const AdminParts& parts);
  // Cancels what has not been drained.
  ~AdminServer();

  // Closes the listener, ends calls that follow something, and returns when the others have ended. Those that have not
  // by `deadline` are cancelled then.
  void Drain(Time deadline);

  // HOST:PORT as bound.
  const std::string& address() const { return address_; }

 private:
  AdminServer(const AdminServerOptions& options, const AdminParts& parts)
      : service_(parts, options.token), log_(parts.log, options.token), health_(parts.registry, options.ready) {}

  AdminService service_;
  LogService log_;
  rpc::HealthService health_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_ADMIN_SERVER_H_
