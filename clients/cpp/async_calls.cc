#include "clients/cpp/async_calls.h"

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

#include <utility>

namespace tandem::client {

// It is the tag of its one event: the answer, or the alarm of a call that is not made.
struct AsyncCalls::Call {
  std::mutex starting;  // held while it is started
  std::list<Call>::iterator self;
  Done done;
  std::unique_ptr<grpc::ClientContext> context;
  std::shared_ptr<inference::ModelInferResponse> response = std::make_shared<inference::ModelInferResponse>();
  std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
  grpc::Alarm alarm;
  grpc::Status status;
};

AsyncCalls::AsyncCalls(std::shared_ptr<grpc::Channel> channel)
    : stub_(std::move(channel)), thread_([this] { Run(); }) {}

AsyncCalls::~AsyncCalls() {
  End();
  queue_.Shutdown();
  thread_.join();
}

void AsyncCalls::End() {
  std::unique_lock<std::mutex> lock(mutex_);
  closing_ = true;
  for (Call& call : calls_) {
    if (call.context != nullptr) call.context->TryCancel();
  }
  no_calls_.wait(lock, [this] { return calls_.empty(); });
}

void AsyncCalls::Infer(std::unique_ptr<grpc::ClientContext> context, const grpc::ByteBuffer& request, Done done) {
  Call& call = Enter(std::move(context), std::move(done));
  const std::lock_guard<std::mutex> starting(call.starting);
  call.reader = stub_.PrepareUnaryCall(call.context.get(), kModelInfer, request, &queue_);
  call.reader->StartCall();
  call.reader->Finish(call.response.get(), &call.status, &call);
}

void AsyncCalls::Refuse(const grpc::Status& status, Done done) {
  Call& call = Enter(nullptr, std::move(done));
  const std::lock_guard<std::mutex> starting(call.starting);
  call.status = status;
  call.alarm.Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), &call);
}

AsyncCalls::Call& AsyncCalls::Enter(std::unique_ptr<grpc::ClientContext> context, Done done) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto call = calls_.emplace(calls_.end());
  call->self = call;
  call->done = std::move(done);
  call->context = std::move(context);
  // What a callback starts after the end has begun.
  if (closing_ && call->context != nullptr) call->context->TryCancel();
  return *call;
}

// These locks order what comes after behind all that started the call. So do gRPC's own, but those are in a library
// that is not built for the thread sanitizer.
AsyncCalls::Call& AsyncCalls::Arrived(void* tag) {
  { const std::lock_guard<std::mutex> entered(mutex_); }
  Call& call = *static_cast<Call*>(tag);
  { const std::lock_guard<std::mutex> started(call.starting); }
  return call;
}

void AsyncCalls::Leave(Call& call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  calls_.erase(call.self);
  if (calls_.empty()) no_calls_.notify_all();
}

void AsyncCalls::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    Call& call = Arrived(tag);
    call.done(call.status, std::move(call.response));
    call.done = nullptr;  // what it holds goes outside of the lock
    Leave(call);
  }
}

}  // namespace tandem::client
