// UnaryCall: one ModelInfer call of gRPC's: a request, an answer.
//
// Of the receiver's thread but for Respond. gRPC reports a call's end twice (Done: closed or cancelled; Finished: our
// answer is sent); after both the call is reused for another.
#ifndef TANDEM_SERVER_RPC_UNARY_CALL_H_
#define TANDEM_SERVER_RPC_UNARY_CALL_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_unary_call.h>

#include <optional>

#include "absl/status/statusor.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/tag.h"

namespace tandem::rpc {

class UnaryCall final : public Responder {
 public:
  explicit UnaryCall(InferContext& context) : infer_(context, *this) {}

  // For gRPC's RequestModelInfer; valid after Reset.
  grpc::ServerContext& server_context() { return *server_context_; }
  grpc::ByteBuffer& request_buffer() { return infer_.request_buffer(); }
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>& writer() { return *writer_; }
  void* arrived_tag() { return &tags_[0]; }

  // Makes the call ready to be posted.
  void Reset();
  // After its end.
  void Release();
  void Arrived() { infer_.Arrived(*server_context_); }
  // True when the call has ended and may be reused.
  bool Done();
  bool Finished() { return --ends_missing_ == 0; }

  void Respond(absl::StatusOr<grpc::Slice> answer) override;

 private:
  Tag tags_[3] = {{.unary = this, .event = CallEvent::kArrived},
                  {.unary = this, .event = CallEvent::kDone},
                  {.unary = this, .event = CallEvent::kFinished}};
  std::optional<grpc::ServerContext> server_context_;
  std::optional<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>> writer_;
  InferCall infer_;
  int ends_missing_ = 0;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_UNARY_CALL_H_
