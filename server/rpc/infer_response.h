// Writes a ModelInferResponse straight into the memory that is sent: one pass for its size, one for its bytes.
#ifndef TANDEM_SERVER_RPC_INFER_RESPONSE_H_
#define TANDEM_SERVER_RPC_INFER_RESPONSE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/tensor.h"

namespace tandem::rpc {

// One output: its values are `bytes` bytes at `data`.
struct OutputView {
  absl::string_view name;
  absl::string_view datatype;
  engine::Shape shape;
  const void* data = nullptr;
  size_t bytes = 0;
};

struct InferResponse {
  absl::string_view model_name;
  absl::string_view model_version;
  absl::string_view id;
  absl::string_view variant;
  absl::Span<const OutputView> outputs;
};

size_t EncodedSize(const InferResponse& response);
// Where the values of each output begin in what Encode writes.
std::vector<size_t> ValueOffsets(const InferResponse& response);
// Writes exactly EncodedSize bytes.
void Encode(const InferResponse& response, char* to);

// A ModelStreamInferResponse is these bytes and then a ModelInferResponse of `size` bytes,
std::string StreamHead(size_t size);
// or all of these: an error, and the id of the request that it answers.
std::string EncodeStreamError(absl::string_view message, absl::string_view id);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFER_RESPONSE_H_
