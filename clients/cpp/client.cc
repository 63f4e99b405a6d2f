#include "tandem/client/client.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cpp/async_calls.h"
#include "clients/cpp/channel.h"
#include "clients/cpp/messages.h"
#include "proto/inference.grpc.pb.h"

namespace tandem::client {
namespace {

using Stub = inference::GRPCInferenceService::Stub;

template <typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

std::string Of(absl::string_view call, absl::string_view model) { return absl::StrCat(call, " \"", model, "\""); }

template <typename Request>
Request Named(const std::string& model, int64_t version) {
  Request request;
  request.set_name(model);
  request.set_version(VersionName(version));
  return request;
}

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace

// What the calls of a client share. Thread-safe.
class Client::Connection {
 public:
  Connection(std::string target, ClientOptions options, std::shared_ptr<grpc::Channel> channel)
      : target_(std::move(target)),
        timeout_(options.timeout),
        authorization_(options.token.empty() ? "" : absl::StrCat("Bearer ", options.token)),
        channel_(std::move(channel)),
        stub_(channel_),
        infer_stub_(channel_) {}

  // The answer to a question, which `what` names in errors.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(Method<Request, Response> method, const Request& request, absl::string_view what,
                               const CallOptions& options) {
    Response response;
    const grpc::Status status = (stub_.*method)(NewContext(options).get(), request, &response);
    if (!status.ok()) return ToStatus(status, what);
    return response;
  }

  // What a client does first in its end, while callbacks still find it whole.
  void End() {
    if (async_ != nullptr) async_->End();
  }

  absl::StatusOr<InferResult> Infer(const InferRequest& request, const CallOptions& options) {
    const absl::StatusOr<grpc::ByteBuffer> bytes = ToBytes(request);
    if (!bytes.ok()) return Outcome(request.model, ToGrpc(bytes.status()), nullptr);
    const auto context = NewContext(options);
    const auto response = std::make_shared<inference::ModelInferResponse>();
    grpc::CompletionQueue queue;  // of this thread alone, which so waits for the connection itself
    const auto call = infer_stub_.PrepareUnaryCall(context.get(), kModelInfer, *bytes, &queue);
    grpc::Status status;
    call->StartCall();
    call->Finish(response.get(), &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return Outcome(request.model, status, response);
  }

  void InferAsync(const InferRequest& request, Done done, const CallOptions& options) {
    std::call_once(async_needed_, [this] { async_ = std::make_unique<AsyncCalls>(channel_); });
    auto finish = [this, model = request.model, done = std::move(done)](
                      const grpc::Status& status, std::shared_ptr<const inference::ModelInferResponse> response) {
      done(Outcome(model, status, std::move(response)));
    };
    if (const absl::StatusOr<grpc::ByteBuffer> bytes = ToBytes(request); bytes.ok()) {
      async_->Infer(NewContext(options), *bytes, std::move(finish));
    } else {
      async_->Refuse(ToGrpc(bytes.status()), std::move(finish));
    }
  }

 private:
  std::unique_ptr<grpc::ClientContext> NewContext(const CallOptions& options) const {
    auto context = std::make_unique<grpc::ClientContext>();
    const std::chrono::nanoseconds timeout = options.timeout.value_or(timeout_);
    // Saturates where nothing is that late.
    context->set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(timeout.count(), GPR_TIMESPAN)));
    if (!authorization_.empty()) context->AddMetadata("authorization", authorization_);
    return context;
  }

  absl::Status ToStatus(const grpc::Status& status, absl::string_view what) const {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        absl::StrCat(what, " at ", target_, ": ", status.error_message()));
  }

  absl::StatusOr<InferResult> Outcome(const std::string& model, const grpc::Status& status,
                                      std::shared_ptr<const inference::ModelInferResponse> response) const {
    const std::string what = Of("inference by", model);
    if (!status.ok()) return ToStatus(status, what);
    absl::StatusOr<InferResult> result = ToResult(std::move(response));
    if (!result.ok()) return ToStatus(ToGrpc(result.status()), what);
    return result;
  }

  const std::string target_;
  const std::chrono::nanoseconds timeout_;
  const std::string authorization_;
  const std::shared_ptr<grpc::Channel> channel_;
  Stub stub_;
  InferStub infer_stub_;

  std::once_flag async_needed_;
  std::unique_ptr<AsyncCalls> async_;  // from the first InferAsync on
};

absl::StatusOr<std::unique_ptr<Client>> Client::Create(std::string target, ClientOptions options) {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = MakeChannel(target, options);
  if (!channel.ok()) return channel.status();
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Connection>(std::move(target), std::move(options), *std::move(channel))));
}

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

Client::~Client() { connection_->End(); }

absl::StatusOr<InferResult> Client::Infer(const InferRequest& request, const CallOptions& options) {
  return connection_->Infer(request, options);
}

void Client::InferAsync(const InferRequest& request, Done done, const CallOptions& options) {
  connection_->InferAsync(request, std::move(done), options);
}

std::future<absl::StatusOr<InferResult>> Client::InferAsync(const InferRequest& request, const CallOptions& options) {
  const auto promise = std::make_shared<std::promise<absl::StatusOr<InferResult>>>();
  connection_->InferAsync(
      request, [promise](absl::StatusOr<InferResult> result) { promise->set_value(std::move(result)); }, options);
  return promise->get_future();
}

absl::StatusOr<bool> Client::Live(const CallOptions& options) {
  const auto response =
      connection_->Ask(&Stub::ServerLive, inference::ServerLiveRequest(), "ask whether the server is live", options);
  if (!response.ok()) return response.status();
  return response->live();
}

absl::StatusOr<bool> Client::Ready(const CallOptions& options) {
  const auto response =
      connection_->Ask(&Stub::ServerReady, inference::ServerReadyRequest(), "ask whether the server is ready", options);
  if (!response.ok()) return response.status();
  return response->ready();
}

absl::StatusOr<bool> Client::ModelReady(const std::string& model, int64_t version, const CallOptions& options) {
  const auto response = connection_->Ask(&Stub::ModelReady, Named<inference::ModelReadyRequest>(model, version),
                                         Of("ask for readiness of", model), options);
  if (!response.ok()) return response.status();
  return response->ready();
}

absl::StatusOr<ModelMetadata> Client::Metadata(const std::string& model, int64_t version, const CallOptions& options) {
  const auto response = connection_->Ask(&Stub::ModelMetadata, Named<inference::ModelMetadataRequest>(model, version),
                                         Of("metadata of", model), options);
  if (!response.ok()) return response.status();
  return ToModelMetadata(*response);
}

absl::StatusOr<std::map<std::string, std::string>> Client::ModelParameters(const std::string& model, int64_t version,
                                                                           const CallOptions& options) {
  const auto response = connection_->Ask(&Stub::ModelConfig, Named<inference::ModelConfigRequest>(model, version),
                                         Of("configuration of", model), options);
  if (!response.ok()) return response.status();
  return ToParameters(*response);
}

absl::StatusOr<std::vector<ModelStatistics>> Client::Statistics(const std::string& model, int64_t version,
                                                                const CallOptions& options) {
  const auto response =
      connection_->Ask(&Stub::ModelStatistics, Named<inference::ModelStatisticsRequest>(model, version),
                       Of("statistics of", model), options);
  if (!response.ok()) return response.status();
  return ToStatistics(*response);
}

absl::StatusOr<ServerMetadata> Client::Server(const CallOptions& options) {
  const auto response =
      connection_->Ask(&Stub::ServerMetadata, inference::ServerMetadataRequest(), "metadata of the server", options);
  if (!response.ok()) return response.status();
  return ToServerMetadata(*response);
}

absl::StatusOr<std::vector<IndexEntry>> Client::Models(const CallOptions& options) {
  const auto response =
      connection_->Ask(&Stub::RepositoryIndex, inference::RepositoryIndexRequest(), "index of the models", options);
  if (!response.ok()) return response.status();
  return ToIndex(*response);
}

}  // namespace tandem::client
