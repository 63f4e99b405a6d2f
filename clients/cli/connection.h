// Connection: a server's admin service, called as a user on this machine.
#ifndef TANDEM_CLIENTS_CLI_CONNECTION_H_
#define TANDEM_CLIENTS_CLI_CONNECTION_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "proto/tandem/admin/v1/admin.grpc.pb.h"

namespace tandem::cli {

namespace v1 = ::tandem::admin::v1;

// What every command is told.
struct Options {
  std::string address = "127.0.0.1:8003";
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  std::string server_name;  // what the server's certificate is for; empty: the host of its address
  std::string token;        // empty: none is shown
  bool json = false;        // for programs; else for people
  bool all = false;         // run on every server that the address stands for
};

class Connection {
 public:
  explicit Connection(Options options) : options_(std::move(options)) {}

  const Options& options() const { return options_; }

  // One unary call: connection.Call(&v1::Admin::Stub::GetModel, request, response).
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::Admin::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    return ToStatus((Prepared(context).*method)(&context, request, &response));
  }
  // The service for one call, whose context is made ready.
  v1::Admin::Stub& Prepared(grpc::ClientContext& context);
  // To another port of the same server.
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) const;
  // What a call came to, in words that name the server when that cannot be reached: this one, or `server`.
  absl::Status ToStatus(const grpc::Status& status) const;
  static absl::Status ToStatus(const grpc::Status& status, const std::string& server);

  // A change by this user.
  v1::ChangeNote Note(const std::string& why) const;

 private:
  const Options options_;
  std::unique_ptr<v1::Admin::Stub> stub_;  // from the first call on
};

// A command as it was given, ready to run. Errors are for the user.
using Command = std::function<absl::Status(Connection&)>;

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_CONNECTION_H_
