// InferReceiver: takes ModelInfer calls from one completion queue, on one thread.
//
// One thread is the measured optimum on small machines: two pollers fight over the cores and double the cost. A fixed
// number of calls is always posted; each arrival posts another, so that no request waits inside gRPC and the queues'
// limits hold.
#ifndef TANDEM_SERVER_RPC_INFER_RECEIVER_H_
#define TANDEM_SERVER_RPC_INFER_RECEIVER_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/mutex.h"
#include "server/rpc/infer_call.h"
#include "server/rpc/inference_service.h"

namespace tandem::rpc {

class InferReceiver {
 public:
  // All must outlive the receiver.
  InferReceiver(InferenceService& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
                models::Registry& registry, scheduling::Dispatcher& dispatcher);
  ~InferReceiver();

  // Once the server has started.
  void Start();
  // Before the server shuts down: posts no more calls. Those in flight go on.
  void StopAccepting();
  // After the server has shut down: ends the thread.
  void Stop();

  // Requests that never reached a version, by status code.
  const std::array<metrics::Cell, metrics::kNumCodes>& refused() const { return refused_; }

 private:
  void Loop();
  void Handle(const InferTag& tag, bool ok);
  void PostAnother();
  void Recycle(InferCall* call);

  InferenceService& service_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::array<metrics::Cell, metrics::kNumCodes> refused_;
  InferContext context_;
  std::thread thread_;

  // Of the receiver's thread alone once it runs.
  std::vector<std::unique_ptr<InferCall>> idle_;
  std::unordered_map<InferCall*, std::unique_ptr<InferCall>> busy_;  // posted or in flight

  Mutex mutex_;
  bool accepting_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFER_RECEIVER_H_
