// StreamCall: one ModelStreamInfer call of gRPC's: requests as they come, each answered as soon as it is done, in any
// order. A request that fails is answered by an error on the stream, which goes on.
//
// Of the receiver's thread but for Respond of its requests. A stream holds a bounded number of requests, and of bytes
// but for the last one: while more wait, run or have answers that the client does not take, nothing is read, and HTTP/2
// holds the client back. gRPC has one read, one write and one end at a time; when all have been reported and no request
// is left the call has ended.
#ifndef TANDEM_SERVER_RPC_STREAM_CALL_H_
#define TANDEM_SERVER_RPC_STREAM_CALL_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/mutex.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/tag.h"

namespace tandem::rpc {

class StreamCall {
 public:
  explicit StreamCall(InferContext& context);
  ~StreamCall();

  // For gRPC's RequestModelStreamInfer.
  grpc::ServerContext& server_context() { return server_context_; }
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>& stream() { return stream_; }
  void* arrived_tag() { return TagOf(CallEvent::kArrived); }

  // Something has happened, `ok` as gRPC says. True when the call has ended: nothing more will.
  bool Handle(CallEvent event, bool ok);
  // The server shuts down: reads no more, answers what was read and closes the stream. Nothing to do before it arrives.
  void Drain();

 private:
  // A request on its way through the server, kept for others afterwards.
  struct Slot;

  void* TagOf(CallEvent event) { return &tags_[static_cast<size_t>(event)]; }
  void Read(bool ok);
  void Written(bool ok);
  void Done();
  // Reads the next request, unless the stream is full, closed or being read.
  void ReadMore();
  Slot& FreeSlot();
  // From any thread: `slot` has its message for the client.
  void Send(Slot& slot);
  // The request in `slot` has ended: makes room for another.
  void Leave(const Slot& slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The status that the caller is to close the stream with, if it is time to. Said once.
  std::optional<grpc::Status> End() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The answer of `slot` is sent or lost: the receiver's thread lets go of its memory.
  void Release(Slot& slot);
  void Write(Slot& slot);
  void Finish(const grpc::Status& status);

  InferContext& context_;
  Tag tags_[5];  // by event
  grpc::ServerContext server_context_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_{&server_context_};

  // Of the receiver's thread.
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> idle_;  // of them
  Slot* reading_ = nullptr;  // into which gRPC reads now
  uint64_t unended_ = 0;     // requests that count as arrived and not as ended
  bool arrived_ = false;
  bool done_ = false;
  bool finished_ = false;

  Mutex mutex_;
  std::deque<Slot*> to_send_ ABSL_GUARDED_BY(mutex_);  // the first one is being sent
  int requests_ ABSL_GUARDED_BY(mutex_) = 0;           // read and not ended
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;           // of them
  bool no_more_ ABSL_GUARDED_BY(mutex_) = false;       // the client has sent its last request
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;    // the client takes no answers any more
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;  // End has been said
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_STREAM_CALL_H_
