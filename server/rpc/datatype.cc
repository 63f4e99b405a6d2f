#include "server/rpc/datatype.h"

namespace tandem::rpc {

absl::string_view WireName(engine::DataType type) {
  using engine::DataType;
  switch (type) {
    case DataType::kFloat32:
      return "FP32";
    case DataType::kFloat64:
      return "FP64";
    case DataType::kFloat16:
      return "FP16";
    case DataType::kBFloat16:
      return "BF16";
    case DataType::kInt8:
      return "INT8";
    case DataType::kInt16:
      return "INT16";
    case DataType::kInt32:
      return "INT32";
    case DataType::kInt64:
      return "INT64";
    case DataType::kUInt8:
      return "UINT8";
    case DataType::kUInt16:
      return "UINT16";
    case DataType::kUInt32:
      return "UINT32";
    case DataType::kUInt64:
      return "UINT64";
    case DataType::kBool:
      return "BOOL";
    case DataType::kString:
      return "BYTES";
    case DataType::kUndefined:
      return "";
  }
  return "";
}

}  // namespace tandem::rpc
