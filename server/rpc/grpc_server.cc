#include "server/rpc/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/rpc/keep_alive.h"

namespace tandem::rpc {
namespace {

// Threads that synchronous methods may occupy, health watchers included.
constexpr int kMaxSyncThreads = 64;

int Milliseconds(Duration duration) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::min<int64_t>(count, INT32_MAX));
}

std::string WithPort(const std::string& address, int port) {
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

std::unique_ptr<shared_memory::Regions> RegionsOf(const GrpcServerOptions& options) {
  if (!options.shared_memory) return nullptr;
  return std::make_unique<shared_memory::Regions>(
      shared_memory::RegionsOptions{.max_input_bytes = static_cast<uint64_t>(options.max_message_size)});
}

}  // namespace

GrpcServer::GrpcServer(const GrpcServerOptions& options, models::Registry& registry)
    : regions_(RegionsOf(options)),
      request_log_(std::make_unique<RequestLog>(options.request_log, LogSink())),
      inference_(registry,
                 {.ready = options.ready, .control = options.control, .regions = regions_.get(), .log = options.log}),
      health_(registry, options.ready) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                              models::Registry& registry,
                                                              scheduling::Dispatcher& dispatcher,
                                                              scheduling::InlineRunner& inline_runner) {
  TANDEM_ASSIGN_OR_RETURN(const auto credentials, MakeCredentials(options.tls));
  std::unique_ptr<GrpcServer> self(new GrpcServer(options, registry));
  static const bool reflection = (grpc::reflection::InitProtoReflectionServerBuilderPlugin(), true);
  static_cast<void>(reflection);

  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.address, credentials, &port);
  // Two daemons on one port would share its connections without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  KeepAlive(builder);
  // Calls in flight and streams end when they end, however long that takes.
  if (options.max_connection_age > Duration(0)) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(options.max_connection_age));
  }
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_size));
  builder.SetMaxSendMessageSize(-1);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  grpc::ResourceQuota quota("tandemd");
  quota.SetMaxThreads(kMaxSyncThreads);
  builder.SetResourceQuota(quota);
  builder.RegisterService(&self->inference_);
  builder.RegisterService(&self->health_);
  self->receiver_ = std::make_unique<InferReceiver>(self->inference_, builder.AddCompletionQueue(), registry,
                                                    dispatcher, inline_runner, self->regions_.get(),
                                                    options.shadow_runner, options.outcomes, self->request_log_.get());
  self->server_ = builder.BuildAndStart();
  if (self->server_ == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.address, " (grpc_address)"));
  }
  self->address_ = WithPort(options.address, port);
  self->receiver_->Start();
  return self;
}

void GrpcServer::Drain(Time deadline) {
  receiver_->StopAccepting();
  health_.Stop();
  server_->Shutdown(WallTime(deadline));
  receiver_->Stop();
}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Drain(Now());
}

}  // namespace tandem::rpc
