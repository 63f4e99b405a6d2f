// InferRequest: a ModelInferRequest taken apart without copying tensor bytes.
//
// Texts view the request's blocks, or `straddling` where they run over a border; ranges locate tensor bytes in the
// blocks. Everything is valid as long as the blocks are. Field numbers: proto/inference.proto.
#ifndef TANDEM_SERVER_RPC_INFER_REQUEST_H_
#define TANDEM_SERVER_RPC_INFER_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/tensor.h"
#include "server/rpc/wire_reader.h"

namespace tandem::rpc {

struct InferRequest {
  // Where the values of a tensor are, or go, instead of in the message.
  struct Memory {
    absl::string_view region;  // its registered name; empty: they are in the message
    uint64_t offset = 0;
    uint64_t byte_size = 0;
  };
  struct Input {
    absl::string_view name;
    absl::string_view datatype;
    engine::Shape shape;
    absl::InlinedVector<Range, 1> contents;  // InferTensorContents messages, to be read as one
    Memory memory;
  };
  struct Output {
    absl::string_view name;
    Memory memory;
  };

  absl::string_view model_name;
  absl::string_view model_version;
  absl::string_view id;
  absl::string_view variant;      // parameters["variant"]; empty when absent
  absl::string_view routing_key;  // parameters["routing_key"]; empty when absent
  uint64_t priority = 0;          // parameters["priority"]: 1 is the highest; 0: none given, the lowest
  uint64_t timeout_us = 0;        // parameters["timeout"]: microseconds to wait at most; 0: none given
  absl::InlinedVector<Input, 2> inputs;
  absl::InlinedVector<Output, 2> outputs;  // those asked for; empty: all
  absl::InlinedVector<Range, 2> raw;       // raw_input_contents

  std::vector<std::unique_ptr<std::string>> straddling;
};

// INVALID_ARGUMENT for malformed bytes and absurd counts, UNIMPLEMENTED for extensions that are not served.
// `request` must be fresh.
absl::Status ParseInferRequest(Blocks blocks, InferRequest& request);

// `text` in quotes, safe to print and of bounded length: for error messages.
std::string Quoted(absl::string_view text);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_INFER_REQUEST_H_
