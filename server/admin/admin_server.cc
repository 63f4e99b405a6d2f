#include "server/admin/admin_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "server/rpc/keep_alive.h"

namespace tandem::admin {
namespace {

// Operators are few; each that follows a build occupies a thread.
constexpr int kMaxThreads = 32;

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const AdminServerOptions& options,
                                                                const AdminParts& parts) {
  std::unique_ptr<AdminServer> self(new AdminServer(options, parts));
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.address, options.credentials, &port);
  // Two daemons on one port would share its connections without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  rpc::KeepAlive(builder);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  grpc::ResourceQuota quota("tandemd admin");
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
  builder.RegisterService(&self->service_);
  builder.RegisterService(&self->log_);
  builder.RegisterService(&self->health_);
  self->server_ = builder.BuildAndStart();
  if (self->server_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.address, " (admin_address)"));
  }
  self->address_ = absl::StrCat(options.address.substr(0, options.address.rfind(':')), ":", port);
  return self;
}

void AdminServer::Drain(Time deadline) {
  service_.Stop();
  health_.Stop();
  server_->Shutdown(WallTime(deadline));
}

AdminServer::~AdminServer() {
  if (server_ != nullptr) Drain(Now());
}

}  // namespace tandem::admin
