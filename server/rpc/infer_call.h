// InferCall: one ModelInfer call from its arrival to its end; the gRPC side of batching::Request.
//
// The request is kept as the slices it arrived in; a worker gathers the inputs from them and writes the response's one
// slice in place. Everything but Gather and Answer happens on the receiver's thread. gRPC reports a call's end twice
// (Done: closed or cancelled; Finished: our answer is sent); after both the call is reused for another.
#ifndef TANDEM_SERVER_RPC_INFER_CALL_H_
#define TANDEM_SERVER_RPC_INFER_CALL_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_unary_call.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/batching/request.h"
#include "server/models/registry.h"
#include "server/rpc/binding.h"
#include "server/rpc/infer_request.h"
#include "server/rpc/wire_reader.h"
#include "server/scheduling/dispatcher.h"
#include "server/scheduling/inline_runner.h"

namespace tandem::rpc {

class InferCall;

enum class InferEvent : uint8_t { kArrived, kDone, kFinished };

// What the completion queue hands back.
struct InferTag {
  InferCall* call = nullptr;
  InferEvent event = InferEvent::kArrived;
};

// What every call needs.
struct InferContext {
  models::Registry& registry;
  scheduling::Dispatcher& dispatcher;
  scheduling::InlineRunner& inline_runner;
  // Requests that never reached a version, by status code; written by the receiver's thread.
  std::array<metrics::Cell, metrics::kNumCodes>& refused;
  // Prefix of the ids given to requests without one.
  std::string id_prefix;
  uint64_t next_id = 0;
};

class InferCall final : public batching::Request {
 public:
  explicit InferCall(InferContext& context) : context_(context) {}

  // For gRPC's RequestModelInfer; valid after Reset.
  grpc::ServerContext& server_context() { return *server_context_; }
  grpc::ByteBuffer& request_buffer() { return buffer_; }
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>& writer() { return *writer_; }
  void* arrived_tag() { return &tags_[0]; }

  // Makes the call ready to be posted.
  void Reset();
  // After its end: lets go of the request's memory and of the version.
  void Release();
  // The request has arrived whole: checks it and queues it, or answers it.
  void Arrived();
  // True when the call has ended and may be reused.
  bool Done();
  bool Finished();

  void Gather(int i, size_t offset, size_t size, void* destination) const override;
  void Answer(const absl::Status& status, const batching::Results* results, metrics::RequestTimes times,
              metrics::VersionMetrics::Shard& shard) override;

 private:
  absl::Status Prepare();
  absl::Status ReadBuffer();
  // What the request or the route says; the version is known.
  absl::Status ChooseVariant();
  Time Deadline() const;
  // As parameters["timeout"] says.
  Time StartBy() const;
  // Sends an error, and counts it where it belongs.
  void Refuse(const absl::Status& status);
  absl::StatusOr<grpc::ByteBuffer> Encoded(const batching::Results& results) const;

  InferContext& context_;
  InferTag tags_[3] = {{this, InferEvent::kArrived}, {this, InferEvent::kDone}, {this, InferEvent::kFinished}};

  std::optional<grpc::ServerContext> server_context_;
  std::optional<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>> writer_;
  grpc::ByteBuffer buffer_;
  std::vector<grpc::Slice> slices_;
  std::vector<absl::string_view> blocks_;
  InferRequest parsed_;
  Binding binding_;
  std::string id_;
  models::VersionHandle version_;
  const models::Variant* variant_ = nullptr;  // of the version: answers, and counts the request
  bool queued_ = false;
  int ends_missing_ = 0;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFER_CALL_H_
