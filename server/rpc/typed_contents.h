// Typed tensor contents (InferTensorContents) into dense bytes.
#ifndef TANDEM_SERVER_RPC_TYPED_CONTENTS_H_
#define TANDEM_SERVER_RPC_TYPED_CONTENTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/tensor.h"
#include "server/rpc/wire_reader.h"

namespace tandem::rpc {

// Decodes exactly `elements` values of `type` from `contents`, which are read as one message. INVALID_ARGUMENT when
// they are malformed, sit in the field of another type, do not fit the type or are more or fewer than expected.
absl::StatusOr<std::string> DecodeContents(Blocks blocks, absl::Span<const Range> contents, engine::DataType type,
                                           int64_t elements);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_TYPED_CONTENTS_H_
