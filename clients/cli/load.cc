#include "clients/cli/load.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tandem::cli {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Bytes of one element; 0 for what has no size of its own.
size_t SizeOf(const std::string& datatype) {
  static const std::map<std::string, size_t> sizes = {
      {"BOOL", 1},  {"INT8", 1},   {"UINT8", 1}, {"INT16", 2}, {"UINT16", 2}, {"FP16", 2}, {"BF16", 2},
      {"INT32", 4}, {"UINT32", 4}, {"FP32", 4},  {"INT64", 8}, {"UINT64", 8}, {"FP64", 8}};
  const auto found = sizes.find(datatype);
  return found == sizes.end() ? 0 : found->second;
}

// Little-endian, as both sides are.
template <typename T>
std::string Numbers(int64_t count, std::mt19937& random) {
  std::vector<T> values(static_cast<size_t>(count));
  std::uniform_real_distribution<T> uniform(0, 1);
  for (T& value : values) value = uniform(random);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string Elements(const std::string& datatype, size_t size, int64_t count, std::mt19937& random) {
  if (datatype == "FP32") return Numbers<float>(count, random);
  if (datatype == "FP64") return Numbers<double>(count, random);
  std::string bytes(static_cast<size_t>(count) * size, '\0');
  const bool whole = datatype != "FP16" && datatype != "BF16";  // these stay 0
  for (size_t i = 0; whole && i < bytes.size(); i += size) bytes[i] = static_cast<char>(random() % 2);
  return bytes;
}

}  // namespace

absl::Status AddShape(absl::string_view text, Shapes& shapes) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  std::vector<int64_t> shape;
  for (absl::string_view dim : absl::StrSplit(parts.second, ',')) {
    int64_t size = 0;
    if (!absl::SimpleAtoi(dim, &size) || size < 1 || size > INT32_MAX) {
      return absl::InvalidArgumentError(absl::StrCat("expected NAME:1,3,224,224, not \"", text, "\""));
    }
    shape.push_back(size);
  }
  shapes[parts.first] = std::move(shape);
  return absl::OkStatus();
}

absl::StatusOr<inference::ModelInferRequest> RandomRequest(const inference::ModelMetadataResponse& model,
                                                           const Shapes& shapes) {
  inference::ModelInferRequest request;
  request.set_model_name(model.name());
  std::mt19937 random(1);
  Shapes left = shapes;
  for (const auto& input : model.inputs()) {
    const size_t size = SizeOf(input.datatype());
    if (size == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("input \"", input.name(), "\": no random values are made for ", input.datatype()));
    }
    std::vector<int64_t> shape(input.shape().begin(), input.shape().end());
    for (int64_t& dim : shape) dim = std::max<int64_t>(dim, 1);
    if (auto given = left.extract(input.name()); !given.empty()) shape = std::move(given.mapped());
    int64_t count = 1;
    for (int64_t dim : shape) {
      if (count > INT32_MAX / dim) {
        return absl::InvalidArgumentError(absl::StrCat("input \"", input.name(), "\": the shape is too large"));
      }
      count *= dim;
    }
    auto& tensor = *request.add_inputs();
    tensor.set_name(input.name());
    tensor.set_datatype(input.datatype());
    tensor.mutable_shape()->Assign(shape.begin(), shape.end());
    request.add_raw_input_contents(Elements(input.datatype(), size, count, random));
  }
  if (left.empty()) return request;
  return absl::InvalidArgumentError(
      absl::StrCat("--shape: model \"", model.name(), "\" has no input \"", left.begin()->first, "\""));
}

double LoadResult::Quantile(double share) const {
  if (seconds.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(seconds.size())));
  return seconds[std::clamp<size_t>(rank, 1, seconds.size()) - 1];
}

void SendLoad(inference::GRPCInferenceService::Stub& stub, const inference::ModelInferRequest& request, int clients,
              std::chrono::nanoseconds duration, LoadResult& result) {
  const Clock::time_point start = Clock::now(), end = start + duration;
  std::vector<LoadResult> parts(static_cast<size_t>(clients));
  std::vector<std::thread> threads;
  for (LoadResult& part : parts) {
    threads.emplace_back([&] {
      inference::ModelInferResponse response;
      while (Clock::now() < end) {
        grpc::ClientContext context;
        const Clock::time_point sent = Clock::now();
        const grpc::Status status = stub.ModelInfer(&context, request, &response);
        if (status.ok()) {
          part.seconds.push_back(SecondsSince(sent));
        } else if (part.failed++ == 0) {
          part.error = status.error_message();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  result.total_seconds += SecondsSince(start);
  for (LoadResult& part : parts) {
    result.seconds.insert(result.seconds.end(), part.seconds.begin(), part.seconds.end());
    result.failed += part.failed;
    if (result.error.empty()) result.error = std::move(part.error);
  }
}

}  // namespace tandem::cli
