#include "server/rpc/unary_call.h"

#include "server/rpc/status.h"
#include "server/sync/unseen_order.h"

namespace tandem::rpc {

void UnaryCall::Reset() {
  ends_missing_ = 2;
  server_context_.emplace();
  writer_.emplace(&*server_context_);
  server_context_->AsyncNotifyWhenDone(&tags_[1]);
}

void UnaryCall::Release() {
  writer_.reset();
  server_context_.reset();
  infer_.Release();
}

bool UnaryCall::Done() {
  if (infer_.queued() && server_context_->IsCancelled()) infer_.Cancel();
  return --ends_missing_ == 0;
}

void UnaryCall::Respond(absl::StatusOr<grpc::Slice> answer) {
  UnseenOrderBegins(this);
  if (answer.ok()) {
    writer_->Finish(grpc::ByteBuffer(&*answer, 1), grpc::Status::OK, &tags_[2]);
  } else {
    writer_->FinishWithError(ToGrpc(answer.status()), &tags_[2]);
  }
}

}  // namespace tandem::rpc
