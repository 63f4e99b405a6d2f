#include "clients/cpp/messages.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpc/slice.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tandem::client {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

constexpr uint32_t kRawContentsTag = WireFormatLite::MakeTag(inference::ModelInferRequest::kRawInputContentsFieldNumber,
                                                             WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
constexpr size_t kMostBytes = std::numeric_limits<int32_t>::max();  // of a message of protobuf's

// All but the values.
inference::ModelInferRequest Head(const InferRequest& request) {
  inference::ModelInferRequest message;
  message.set_model_name(request.model);
  message.set_model_version(VersionName(request.version));
  message.set_id(request.id);
  auto& parameters = *message.mutable_parameters();
  if (!request.variant.empty()) parameters["variant"].set_string_param(request.variant);
  if (!request.routing_key.empty()) parameters["routing_key"].set_string_param(request.routing_key);
  if (request.priority != 0) parameters["priority"].set_int64_param(request.priority);
  if (request.queue_timeout.count() != 0) parameters["timeout"].set_int64_param(request.queue_timeout.count());
  for (const Tensor& input : request.inputs) {
    auto& tensor = *message.add_inputs();
    tensor.set_name(input.name());
    tensor.set_datatype(input.datatype());
    tensor.mutable_shape()->Assign(input.shape().begin(), input.shape().end());
  }
  for (const std::string& output : request.outputs) message.add_outputs()->set_name(output);
  return message;
}

size_t RawSize(absl::string_view bytes) {
  return CodedOutputStream::VarintSize32(kRawContentsTag) +
         CodedOutputStream::VarintSize32(static_cast<uint32_t>(bytes.size())) + bytes.size();
}

absl::Status Check(const InferRequest& request) {
  if (request.queue_timeout.count() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("queue_timeout is ", request.queue_timeout.count(), " us; it must not be negative"));
  }
  size_t bytes = 0;
  for (const Tensor& input : request.inputs) {
    if (absl::Status status = input.Check(); !status.ok()) return status;
    bytes += input.bytes().size();
  }
  if (bytes <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the inputs are ", bytes, " bytes; no message is larger than ", kMostBytes));
}

// Versions are numbers here and names in the protocol.
int64_t VersionOf(const std::string& name) {
  int64_t version = 0;
  return absl::SimpleAtoi(name, &version) ? version : 0;
}

}  // namespace

std::string VersionName(int64_t version) { return version == 0 ? "" : absl::StrCat(version); }

absl::StatusOr<grpc::ByteBuffer> ToBytes(const InferRequest& request) {
  if (absl::Status status = Check(request); !status.ok()) return status;
  // raw_input_contents is the last field, so what it holds may follow what was serialized without it.
  const inference::ModelInferRequest head = Head(request);
  size_t size = head.ByteSizeLong();
  for (const Tensor& input : request.inputs) size += RawSize(input.bytes());
  grpc_slice bytes = grpc_slice_malloc(size);
  uint8_t* end = head.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(bytes));
  for (const Tensor& input : request.inputs) {
    const absl::string_view values = input.bytes();
    end = CodedOutputStream::WriteTagToArray(kRawContentsTag, end);
    end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(values.size()), end);
    end = std::copy(values.begin(), values.end(), end);
  }
  const grpc::Slice slice(bytes, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<InferResult> ToResult(std::shared_ptr<const inference::ModelInferResponse> response) {
  if (response->raw_output_contents_size() != response->outputs_size()) {
    return absl::InternalError(absl::StrCat("the answer has ", response->outputs_size(),
                                            " outputs and the contents of ", response->raw_output_contents_size()));
  }
  InferResult result;
  result.model = response->model_name();
  result.version = VersionOf(response->model_version());
  result.id = response->id();
  const auto variant = response->parameters().find("variant");
  if (variant != response->parameters().end()) result.variant = variant->second.string_param();
  for (int i = 0; i < response->outputs_size(); ++i) {
    const auto& output = response->outputs(i);
    result.outputs.emplace_back(output.name(), output.datatype(),
                                std::vector<int64_t>(output.shape().begin(), output.shape().end()),
                                response->raw_output_contents(i));
    if (absl::Status status = result.outputs.back().Check(); !status.ok()) {
      return absl::InternalError(absl::StrCat("the answer: ", status.message()));
    }
  }
  result.storage = std::move(response);
  return result;
}

ServerMetadata ToServerMetadata(const inference::ServerMetadataResponse& response) {
  return {.name = response.name(),
          .version = response.version(),
          .extensions = {response.extensions().begin(), response.extensions().end()}};
}

ModelMetadata ToModelMetadata(const inference::ModelMetadataResponse& response) {
  ModelMetadata metadata{.name = response.name(), .platform = response.platform()};
  for (const std::string& version : response.versions()) metadata.versions.push_back(VersionOf(version));
  const auto add = [](const auto& tensors, std::vector<TensorMetadata>& to) {
    for (const auto& tensor : tensors) {
      to.push_back({.name = tensor.name(),
                    .datatype = tensor.datatype(),
                    .shape = {tensor.shape().begin(), tensor.shape().end()}});
    }
  };
  add(response.inputs(), metadata.inputs);
  add(response.outputs(), metadata.outputs);
  return metadata;
}

std::map<std::string, std::string> ToParameters(const inference::ModelConfigResponse& response) {
  std::map<std::string, std::string> parameters;
  for (const auto& [key, value] : response.config().parameters()) parameters[key] = value.string_value();
  return parameters;
}

std::vector<IndexEntry> ToIndex(const inference::RepositoryIndexResponse& response) {
  std::vector<IndexEntry> index;
  for (const auto& entry : response.models()) {
    index.push_back({.model = entry.name(),
                     .version = VersionOf(entry.version()),
                     .state = entry.state(),
                     .reason = entry.reason()});
  }
  return index;
}

std::vector<ModelStatistics> ToStatistics(const inference::ModelStatisticsResponse& response) {
  const auto duration = [](const inference::StatisticDuration& from) {
    return Duration{.count = from.count(), .total = std::chrono::nanoseconds(from.ns())};
  };
  std::vector<ModelStatistics> statistics;
  for (const auto& version : response.model_stats()) {
    const inference::InferStatistics& times = version.inference_stats();
    statistics.push_back({.model = version.name(),
                          .version = VersionOf(version.version()),
                          .rows = version.inference_count(),
                          .batches = version.execution_count(),
                          .success = duration(times.success()),
                          .fail = duration(times.fail()),
                          .queue = duration(times.queue()),
                          .compute = duration(times.compute_infer())});
  }
  return statistics;
}

}  // namespace tandem::client
