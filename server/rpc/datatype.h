// Names of element types on the wire ("FP32", "INT64", ...) and their engine types.
#ifndef TANDEM_SERVER_RPC_DATATYPE_H_
#define TANDEM_SERVER_RPC_DATATYPE_H_

#include "absl/strings/string_view.h"
#include "engine/tensor.h"

namespace tandem::rpc {

// "FP32" for kFloat32 and so on; "BYTES" for strings; "" for kUndefined.
absl::string_view WireName(engine::DataType type);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_DATATYPE_H_
