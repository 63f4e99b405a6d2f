// Client: asks a Tandem server over gRPC, through its public port.
//
//   const auto client = tandem::client::Client::Create("127.0.0.1:8001");
//   if (!client.ok()) return client.status();
//   const absl::StatusOr<InferResult> result = (*client)->Infer(request);
//
// Make one and keep it: it holds connections, made when they are first needed and again when they are lost. Any number
// of threads may use it at a time. Headers of gRPC and protobuf are not needed where this one is included.
//
// The target is a gRPC name, "HOST:PORT" or "dns:///NAME:PORT" for instance. When NAME stands for several addresses, as
// that of a headless Kubernetes service does, requests go round them. New addresses are looked for when a connection
// ends, which tandemd --max-connection-age sees to.
//
// Errors have the code of gRPC's status and name the call, the model, the target and what was said:
//   INVALID_ARGUMENT    the request does not fit the model, or cannot be sent; names the input
//   NOT_FOUND           no such model or version
//   FAILED_PRECONDITION the variant is not there
//   UNAVAILABLE         the server cannot be reached or is shutting down, or the version does not serve
//   RESOURCE_EXHAUSTED  the model's queue is full, or the request is larger than the server takes
//   DEADLINE_EXCEEDED   the deadline has passed, be it while another attempt was waited for, or the queue timeout
//   UNAUTHENTICATED, PERMISSION_DENIED, UNIMPLEMENTED  who asks may not, or the server does not do that
//   CANCELLED           the client went away
//   INTERNAL            the answer is not what the protocol says
#ifndef TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_CLIENT_H_
#define TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tandem/client/inference.h"
#include "tandem/client/metadata.h"
#include "tandem/client/options.h"

namespace tandem::client {

class Client {
 public:
  using Done = std::function<void(absl::StatusOr<InferResult>)>;

  // Connects to nobody yet. INVALID_ARGUMENT names the option that cannot be, or the file that cannot be read.
  static absl::StatusOr<std::unique_ptr<Client>> Create(std::string target, ClientOptions options = {});

  // What is in flight of InferAsync ends with CANCELLED. Returns when every callback has; none of the other calls may
  // be in flight. Not from a callback.
  ~Client();

  // One inference. What the inputs view must stay until the call returns.
  absl::StatusOr<InferResult> Infer(const InferRequest& request, const CallOptions& options = {});

  // The same, without waiting. The request is copied to where gRPC sends it from before the call returns: what it views
  // may change then. What cannot be sent is told in the same way as what came back.
  //
  // `done` is called once, on the one thread that the client keeps for it: one callback at a time, in the order of the
  // answers. It must not block, or other answers wait, nor throw. It may start the next request.
  //
  // How many are in flight is up to the caller; a server refuses what its queue does not take.
  void InferAsync(const InferRequest& request, Done done, const CallOptions& options = {});

  // The same, with a future.
  std::future<absl::StatusOr<InferResult>> InferAsync(const InferRequest& request, const CallOptions& options = {});

  // Whether the process answers, and whether the models that must be ready are.
  absl::StatusOr<bool> Live(const CallOptions& options = {});
  absl::StatusOr<bool> Ready(const CallOptions& options = {});

  // Whether this version, 0 for any, takes requests.
  absl::StatusOr<bool> ModelReady(const std::string& model, int64_t version = 0, const CallOptions& options = {});

  // What a model takes and gives. Version 0 is the one that serves, here and below.
  absl::StatusOr<ModelMetadata> Metadata(const std::string& model, int64_t version = 0,
                                         const CallOptions& options = {});

  // What the server tells of a model's variants and route, by keys such as "variant.int8.state" (docs/api.md).
  absl::StatusOr<std::map<std::string, std::string>> ModelParameters(const std::string& model, int64_t version = 0,
                                                                     const CallOptions& options = {});

  // Of a model's versions; version 0: of all that serve, and an empty model: of all models.
  absl::StatusOr<std::vector<ModelStatistics>> Statistics(const std::string& model = "", int64_t version = 0,
                                                          const CallOptions& options = {});

  absl::StatusOr<ServerMetadata> Server(const CallOptions& options = {});

  // Every version known, with its state.
  absl::StatusOr<std::vector<IndexEntry>> Models(const CallOptions& options = {});

 private:
  class Connection;
  explicit Client(std::unique_ptr<Connection> connection);

  const std::unique_ptr<Connection> connection_;
};

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_CLIENT_H_
