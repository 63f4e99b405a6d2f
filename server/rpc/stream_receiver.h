// StreamReceiver: the streams of inference requests that are posted or open, for the InferReceiver.
//
// Of the receiver's thread; Post also of the one that starts it, before.
#ifndef TANDEM_SERVER_RPC_STREAM_RECEIVER_H_
#define TANDEM_SERVER_RPC_STREAM_RECEIVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <unordered_map>

#include "server/rpc/infer_call.h"
#include "server/rpc/inference_service.h"
#include "server/rpc/stream_call.h"
#include "server/rpc/tag.h"

namespace tandem::rpc {

class StreamReceiver {
 public:
  // All must outlive the receiver.
  StreamReceiver(InferenceService& service, grpc::ServerCompletionQueue& queue, InferContext& context)
      : service_(service), queue_(queue), context_(context) {}

  // Has gRPC hand over one more stream; while the server runs only.
  void Post();
  void Handle(const Tag& tag, bool ok);
  // Closes every stream, those that still arrive included, once what was read is answered.
  void Drain();

  bool empty() const { return streams_.empty(); }

 private:
  InferenceService& service_;
  grpc::ServerCompletionQueue& queue_;
  InferContext& context_;
  std::unordered_map<StreamCall*, std::unique_ptr<StreamCall>> streams_;
  bool draining_ = false;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_STREAM_RECEIVER_H_
