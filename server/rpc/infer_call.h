// InferCall: one inference request from its arrival to its answer; the wire's side of batching::Request.
//
// The request is kept as the slices it arrived in; a worker gathers the inputs from them and writes the response's one
// slice in place. How it came and where its answer goes is the Responder's business: a call of its own
// (UnaryCall) or a stream (StreamCall). Everything but Gather and Answer happens on the receiver's thread.
#ifndef TANDEM_SERVER_RPC_INFER_CALL_H_
#define TANDEM_SERVER_RPC_INFER_CALL_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/batching/request.h"
#include "server/models/registry.h"
#include "server/rpc/binding.h"
#include "server/rpc/infer_request.h"
#include "server/rpc/infer_response.h"
#include "server/rpc/request_log.h"
#include "server/rpc/wire_reader.h"
#include "server/scheduling/dispatcher.h"
#include "server/scheduling/inline_runner.h"
#include "server/shadow/outcomes.h"
#include "server/shadow/runner.h"
#include "server/shared_memory/regions.h"

namespace tandem::rpc {

// What every call needs; of the receiver's thread.
struct InferContext {
  models::Registry& registry;
  scheduling::Dispatcher& dispatcher;
  scheduling::InlineRunner& inline_runner;
  const shared_memory::Regions* regions;  // what clients have registered; null: shared memory is off
  // Requests that never reached a version, by status code.
  std::array<metrics::Cell, metrics::kNumCodes>& refused;
  // Requests that have arrived, and those of them that have ended.
  metrics::Cell& arrived;
  metrics::Cell& ended;
  // Prefix of the ids given to requests without one.
  std::string id_prefix;
  uint64_t next_id = 0;
  // Compares a share of the requests; null: none.
  shadow::Runner* shadow_runner = nullptr;
  // Keeps answers whose outcomes may be reported; null: none.
  shadow::Outcomes* outcomes = nullptr;
  uint64_t next_draw = 0;
  // Lines about single requests.
  RequestLog* log;
};

// Where an answer goes.
class Responder {
 public:
  virtual ~Responder() = default;
  // Sends a ModelInferResponse or an error. Called once a request, by a worker or by the receiver's thread; the request
  // may be released even before this returns.
  virtual void Respond(absl::StatusOr<grpc::Slice> answer) = 0;
};

class InferCall final : public batching::Request {
 public:
  // Both must outlive the call.
  InferCall(InferContext& context, Responder& responder) : context_(context), responder_(responder) {}

  // Where the request's bytes are received.
  grpc::ByteBuffer& request_buffer() { return buffer_; }
  // The request has arrived whole, within `call`: checks it and queues it, or answers it.
  void Arrived(const grpc::ServerContext& call);
  // The client has gone: the request is not run any more if it still waits.
  void Cancel();
  // After the answer: lets go of the request's memory and of the version, ready for another request.
  void Release();

  // It has waited in a queue, or waits.
  bool queued() const { return queued_; }
  // As the request gave it, or as it was given by us; empty while it could not be read.
  const std::string& id() const { return id_; }

  void Gather(int i, size_t offset, size_t size, void* destination) const override;
  void Answer(const absl::Status& status, const batching::Results* results, metrics::RequestTimes times,
              metrics::VersionMetrics::Shard& shard) override;

 private:
  absl::Status Prepare(const grpc::ServerContext& call);
  absl::Status ReadBuffer();
  // What the request or the route says; the version is known.
  absl::Status ChooseVariant();
  // By a route between versions: has the candidate answer instead, or be compared.
  void ChooseVersion();
  // In [0, 1): the same for all requests of a routing key or an id of the client's.
  double Draw();
  Time DeadlineOf(const grpc::ServerContext& call) const;
  // As parameters["timeout"] says.
  Time StartBy() const;
  // Sends an error, and counts it where it belongs.
  void Refuse(const absl::Status& status);
  // The response. `job`, where there is one, is given the request and the response to keep.
  absl::StatusOr<grpc::Slice> Encoded(const batching::Results& results, shadow::Job* job);
  // Writes an output into the shared memory it was asked for in.
  absl::Status WriteShared(const BoundOutput& output, const OutputView& view) const;
  // Inputs in shared memory become ours: their owner may overwrite them as soon as there is an answer.
  absl::Status CopySharedInputs();
  RequestEntry EntryOf(const absl::Status& status, const metrics::RequestTimes& times) const;
  // Leaves a copy of the inputs, if the model collects them and this one is drawn.
  void OfferSample() const;
  void KeepForOutcome(const batching::Results& results) const;
  // What the shadow needs of this request, but for the answer, once it has been computed.
  shadow::Job MakeJob(const batching::Results& results, const metrics::RequestTimes& times) const;

  InferContext& context_;
  Responder& responder_;

  grpc::ByteBuffer buffer_;
  std::vector<grpc::Slice> slices_;
  std::vector<absl::string_view> blocks_;
  InferRequest parsed_;
  Binding binding_;
  std::string id_;
  const grpc::ServerContext* call_ = nullptr;  // outlives the request
  Duration checked_{0};                        // after its arrival
  models::VersionHandle version_;
  models::VersionHandle candidate_;  // another version to be compared with, or null
  shadow::Arms arms_;
  const models::Variant* variant_ = nullptr;  // of the version: answers, and counts the request
  bool queued_ = false;
  mutable absl::Status gathered_;  // of the thread that runs the request
  enum class Compared : uint8_t { kNo, kYes, kInAnyCase } compared_ = Compared::kNo;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFER_CALL_H_
