// AsyncCalls: inferences in flight, and the one thread that tells what became of them.
#ifndef TANDEM_CLIENTS_CPP_ASYNC_CALLS_H_
#define TANDEM_CLIENTS_CPP_ASYNC_CALLS_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "proto/inference.pb.h"

namespace tandem::client {

// ModelInfer, whose request is bytes already.
inline constexpr char kModelInfer[] = "/inference.GRPCInferenceService/ModelInfer";
using InferStub = grpc::TemplatedGenericStub<grpc::ByteBuffer, inference::ModelInferResponse>;

// Thread-safe, but for its end: when that has begun, nobody but a callback may call.
class AsyncCalls {
 public:
  // Called once a call, on the thread. The response is meaningful when the status is OK.
  using Done = std::function<void(const grpc::Status&, std::shared_ptr<const inference::ModelInferResponse>)>;

  explicit AsyncCalls(std::shared_ptr<grpc::Channel> channel);
  ~AsyncCalls();

  // Cancels what is in flight, and what is still begun by callbacks; returns when every `done` has been called and is
  // gone. No call may be made any more.
  void End();

  AsyncCalls(const AsyncCalls&) = delete;
  AsyncCalls& operator=(const AsyncCalls&) = delete;

  // Makes a call, with a context that has its deadline and metadata.
  void Infer(std::unique_ptr<grpc::ClientContext> context, const grpc::ByteBuffer& request, Done done);
  // Ends, with `status`, a call that is not made.
  void Refuse(const grpc::Status& status, Done done);

 private:
  struct Call;

  Call& Enter(std::unique_ptr<grpc::ClientContext> context, Done done);
  Call& Arrived(void* tag);
  void Leave(Call& call);
  void Run();

  InferStub stub_;
  grpc::CompletionQueue queue_;

  std::mutex mutex_;
  bool closing_ = false;              // guarded by mutex_
  std::list<Call> calls_;             // in flight; the list is guarded by mutex_
  std::condition_variable no_calls_;  // with mutex_

  std::thread thread_;  // uses all of the above
};

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_ASYNC_CALLS_H_
