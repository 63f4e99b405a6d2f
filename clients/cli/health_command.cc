#include <grpcpp/client_context.h>

#include <chrono>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/text.h"
#include "proto/health.grpc.pb.h"

namespace tandem::cli {
namespace {

namespace health = ::grpc::health::v1;

// A server that does not answer a question this small is not healthy.
constexpr std::chrono::seconds kPatience{5};

absl::Status Health(Connection& connection) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  health::HealthCheckResponse response;
  const auto stub = health::Health::NewStub(connection.ChannelTo(connection.options().address));
  const absl::Status status = connection.ToStatus(stub->Check(&context, {}, &response));
  if (!status.ok()) return status;
  if (response.status() != health::HealthCheckResponse::SERVING) {
    return absl::UnavailableError(absl::StrCat(connection.options().address, " is not ready"));
  }
  if (connection.options().json) {
    PrintJson(response);
  } else {
    std::puts("ready");
  }
  return absl::OkStatus();
}

}  // namespace

void AddHealth(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("health", "Whether the server is ready: exit code 0 if it is");
  command->callback([&chosen] { chosen = Health; });
}

}  // namespace tandem::cli
