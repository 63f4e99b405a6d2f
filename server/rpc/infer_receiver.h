// InferReceiver: takes ModelInfer and ModelStreamInfer calls from one completion queue, on one thread.
//
// One thread is the measured optimum on small machines: two pollers fight over the cores and double the cost. A fixed
// number of calls is always posted; each arrival posts another, so that no request waits inside gRPC and the queues'
// limits hold.
#ifndef TANDEM_SERVER_RPC_INFER_RECEIVER_H_
#define TANDEM_SERVER_RPC_INFER_RECEIVER_H_

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/mutex.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/inference_service.h"
#include "server/rpc/stream_receiver.h"
#include "server/rpc/tag.h"
#include "server/rpc/unary_call.h"
#include "server/sync/cond_var.h"

namespace tandem::rpc {

class InferReceiver {
 public:
  // All must outlive the receiver; those of shared memory, the shadow and outcomes may be null.
  InferReceiver(InferenceService& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
                models::Registry& registry, scheduling::Dispatcher& dispatcher, scheduling::InlineRunner& inline_runner,
                const shared_memory::Regions* regions, shadow::Runner* shadow_runner, shadow::Outcomes* outcomes,
                RequestLog* log);
  ~InferReceiver();

  // Once the server has started.
  void Start();
  // Before the server shuts down: posts no more calls. Those in flight go on; streams are closed when what they have
  // read is answered.
  void StopAccepting();
  // After the server has shut down: waits for the calls that gRPC has given up (their clients have gone) and a worker
  // may still hold, then ends the thread.
  void Stop();

  // Requests that never reached a version, by status code.
  const std::array<metrics::Cell, metrics::kNumCodes>& refused() const { return refused_; }
  // Requests that have arrived and not ended.
  uint64_t in_flight() const {
    const uint64_t ended = ended_.Get();  // first: it never exceeds what arrived
    return arrived_.Get() - ended;
  }

 private:
  void Loop();
  void Handle(const Tag& tag, bool ok);
  void PostAnother();
  void PostAnotherStream();
  // The call has ended: kept for another, or dropped.
  void Recycle(UnaryCall* call);
  void Forget(UnaryCall* call);
  // Tells Stop when no call is left.
  void CheckForEnd();

  InferenceService& service_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::array<metrics::Cell, metrics::kNumCodes> refused_;
  metrics::Cell arrived_, ended_;
  InferContext context_;
  grpc::Alarm drain_alarm_;  // wakes the thread to drain the streams
  Tag drain_tag_;
  std::thread thread_;

  // Of the receiver's thread alone once it runs.
  std::vector<std::unique_ptr<UnaryCall>> idle_;
  std::unordered_map<UnaryCall*, std::unique_ptr<UnaryCall>> busy_;  // posted or in flight
  StreamReceiver streams_;

  Mutex mutex_;
  CondVar none_busy_;
  bool accepting_ ABSL_GUARDED_BY(mutex_) = true;
  bool all_ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFER_RECEIVER_H_
