// Between this library's plain data and the protocol's messages. Pure.
#ifndef TANDEM_CLIENTS_CPP_MESSAGES_H_
#define TANDEM_CLIENTS_CPP_MESSAGES_H_

#include <grpcpp/support/byte_buffer.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/inference.pb.h"
#include "tandem/client/inference.h"
#include "tandem/client/metadata.h"

namespace tandem::client {

// A serialized ModelInferRequest. What the tensors view is copied once, to where gRPC sends it from, and not needed any
// longer. INVALID_ARGUMENT names the tensor that cannot be sent.
absl::StatusOr<grpc::ByteBuffer> ToBytes(const InferRequest& request);

// The outputs are views of the response, which the result keeps. INTERNAL when it is not what the protocol says.
absl::StatusOr<InferResult> ToResult(std::shared_ptr<const inference::ModelInferResponse> response);

// As the messages have versions: 0 is no name.
std::string VersionName(int64_t version);

ServerMetadata ToServerMetadata(const inference::ServerMetadataResponse& response);
ModelMetadata ToModelMetadata(const inference::ModelMetadataResponse& response);
std::map<std::string, std::string> ToParameters(const inference::ModelConfigResponse& response);
std::vector<IndexEntry> ToIndex(const inference::RepositoryIndexResponse& response);
std::vector<ModelStatistics> ToStatistics(const inference::ModelStatisticsResponse& response);

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_MESSAGES_H_
