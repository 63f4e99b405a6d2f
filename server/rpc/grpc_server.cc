#include "server/rpc/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace tandem::rpc {
namespace {

// Threads that synchronous methods may occupy, health watchers included.
constexpr int kMaxSyncThreads = 64;

std::string WithPort(const std::string& address, int port) {
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                              models::Registry& registry,
                                                              scheduling::Dispatcher& dispatcher,
                                                              scheduling::InlineRunner& inline_runner) {
  std::unique_ptr<GrpcServer> self(new GrpcServer(options, registry));
  static const bool reflection = (grpc::reflection::InitProtoReflectionServerBuilderPlugin(), true);
  static_cast<void>(reflection);

  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &port);
  // Two daemons on one port would share its connections without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_size));
  builder.SetMaxSendMessageSize(-1);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  grpc::ResourceQuota quota("tandemd");
  quota.SetMaxThreads(kMaxSyncThreads);
  builder.SetResourceQuota(quota);
  builder.RegisterService(&self->inference_);
  builder.RegisterService(&self->health_);
  self->receiver_ = std::make_unique<InferReceiver>(self->inference_, builder.AddCompletionQueue(), registry,
                                                    dispatcher, inline_runner, options.shadow_runner, options.outcomes);
  self->server_ = builder.BuildAndStart();
  if (self->server_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.address, " (grpc_address)"));
  }
  self->address_ = WithPort(options.address, port);
  self->receiver_->Start();
  return self;
}

void GrpcServer::Drain() {
  receiver_->StopAccepting();
  health_.Stop();
  server_->Shutdown();
  receiver_->Stop();
}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Drain();
}

}  // namespace tandem::rpc
