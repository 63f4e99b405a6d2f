#include "engine/onnx/tensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/strings/numbers.h"
#include "engine/ops/dims.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

struct TypeNumber {
  int32_t onnx_type;
  DataType type;
};
constexpr TypeNumber kTypeNumbers[] = {
    {onnx::TensorProto::FLOAT, DataType::kFloat32},     {onnx::TensorProto::UINT8, DataType::kUInt8},
    {onnx::TensorProto::INT8, DataType::kInt8},         {onnx::TensorProto::UINT16, DataType::kUInt16},
    {onnx::TensorProto::INT16, DataType::kInt16},       {onnx::TensorProto::INT32, DataType::kInt32},
    {onnx::TensorProto::INT64, DataType::kInt64},       {onnx::TensorProto::BOOL, DataType::kBool},
    {onnx::TensorProto::FLOAT16, DataType::kFloat16},   {onnx::TensorProto::DOUBLE, DataType::kFloat64},
    {onnx::TensorProto::UINT32, DataType::kUInt32},     {onnx::TensorProto::UINT64, DataType::kUInt64},
    {onnx::TensorProto::BFLOAT16, DataType::kBFloat16},
};

std::string NameOf(const onnx::TensorProto& proto) {
  return proto.name().empty() ? "a tensor" : absl::StrCat("tensor '", proto.name(), "'");
}

absl::Status Bad(const onnx::TensorProto& proto, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(NameOf(proto), ": ", what));
}

absl::StatusOr<Shape> ShapeOf(const onnx::TensorProto& proto) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  TANDEM_RETURN_IF_ERROR(WithContext(CheckDims(shape), NameOf(proto)));
  return shape;
}

struct ExternalRange {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

absl::StatusOr<ExternalRange> ExternalRangeOf(const onnx::TensorProto& proto) {
  ExternalRange range;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      range.location = entry.value();
      continue;
    }
    if (entry.key() != "offset" && entry.key() != "length") continue;
    uint64_t number = 0;
    if (!absl::SimpleAtoi(entry.value(), &number)) {
      return Bad(proto, absl::StrCat("external data have the ", entry.key(), " '", entry.value(), "'"));
    }
    if (entry.key() == "offset") range.offset = number;
    if (entry.key() == "length") range.length = number;
  }
  if (range.location.empty()) return Bad(proto, "external data name no location");
  return range;
}

// The location inside `directory`, with links resolved: nothing outside it is ever opened.
absl::StatusOr<std::filesystem::path> ResolveInside(const onnx::TensorProto& proto, const std::string& directory,
                                                    const std::string& location) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  if (error) return Bad(proto, absl::StrCat("folder '", directory, "' cannot be read"));
  const fs::path file = fs::canonical(root / location, error);
  if (error) return Bad(proto, absl::StrCat("external data '", location, "' do not exist"));
  const fs::path relative = file.lexically_relative(root);
  if (fs::path(location).is_absolute() || relative.empty() || *relative.begin() == "..") {
    return Bad(proto, absl::StrCat("external data '", location, "' lie outside the model's folder"));
  }
  if (!fs::is_regular_file(file, error)) return Bad(proto, absl::StrCat("'", location, "' is no file"));
  return file;
}

absl::Status ReadExternal(const onnx::TensorProto& proto, const std::string& directory, Tensor& tensor) {
  if (directory.empty()) return Bad(proto, "external data are not allowed here");
  TANDEM_ASSIGN_OR_RETURN(const ExternalRange range, ExternalRangeOf(proto));
  TANDEM_ASSIGN_OR_RETURN(const std::filesystem::path path, ResolveInside(proto, directory, range.location));
  const uint64_t bytes = tensor.num_bytes();
  if (range.length.has_value() && *range.length != bytes) {
    return Bad(proto, absl::StrCat("needs ", bytes, " bytes, its external data give ", *range.length));
  }
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const uint64_t size = file ? static_cast<uint64_t>(file.tellg()) : 0;
  if (range.offset > size || size - range.offset < bytes) {
    return Bad(proto, absl::StrCat("bytes ", range.offset, " to ", range.offset + bytes, " lie outside '",
                                   range.location, "' of ", size, " bytes"));
  }
  file.seekg(static_cast<std::streamoff>(range.offset));
  if (!file.read(static_cast<char*>(tensor.data()), static_cast<std::streamsize>(bytes))) {
    return Bad(proto, absl::StrCat("'", range.location, "' cannot be read"));
  }
  return absl::OkStatus();
}

// How many bytes of external data the file beside the model really has is checked before memory is claimed for them.
absl::StatusOr<uint64_t> ExternalFileSize(const onnx::TensorProto& proto, const std::string& directory) {
  if (directory.empty()) return Bad(proto, "external data are not allowed here");
  TANDEM_ASSIGN_OR_RETURN(const ExternalRange range, ExternalRangeOf(proto));
  TANDEM_ASSIGN_OR_RETURN(const std::filesystem::path path, ResolveInside(proto, directory, range.location));
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) return Bad(proto, absl::StrCat("'", range.location, "' cannot be read"));
  return size;
}

template <typename T, typename Field>
absl::Status CopyField(const Field& field, Tensor& tensor) {
  const auto out = tensor.mutable_values<T>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(field.Get(static_cast<int>(i)));
  return absl::OkStatus();
}

// Copies from the typed field that holds elements of the tensor's type.
absl::Status CopyTyped(const onnx::TensorProto& proto, Tensor& tensor) {
  switch (tensor.type()) {
    case DataType::kFloat32:
      return CopyField<float>(proto.float_data(), tensor);
    case DataType::kFloat64:
      return CopyField<double>(proto.double_data(), tensor);
    case DataType::kInt64:
      return CopyField<int64_t>(proto.int64_data(), tensor);
    case DataType::kUInt64:
      return CopyField<uint64_t>(proto.uint64_data(), tensor);
    case DataType::kUInt32:
      return CopyField<uint32_t>(proto.uint64_data(), tensor);
    case DataType::kInt32:
      return CopyField<int32_t>(proto.int32_data(), tensor);
    case DataType::kInt16:
      return CopyField<int16_t>(proto.int32_data(), tensor);
    case DataType::kInt8:
      return CopyField<int8_t>(proto.int32_data(), tensor);
    case DataType::kUInt16:
      return CopyField<uint16_t>(proto.int32_data(), tensor);
    case DataType::kUInt8:
      return CopyField<uint8_t>(proto.int32_data(), tensor);
    case DataType::kBool:
      return CopyField<bool>(proto.int32_data(), tensor);
    case DataType::kFloat16:
    case DataType::kBFloat16: {
      auto* bits = static_cast<uint16_t*>(tensor.data());
      for (int64_t i = 0; i < tensor.num_elements(); ++i) {
        bits[i] = static_cast<uint16_t>(proto.int32_data(static_cast<int>(i)));
      }
      return absl::OkStatus();
    }
    default:
      return Bad(proto, "has an unsupported type");
  }
}

// Any byte may come from a file; only 0 and 1 are bools.
void MakeBoolsValid(Tensor& tensor) {
  auto* const bytes = static_cast<unsigned char*>(tensor.data());
  for (int64_t i = 0; i < tensor.num_elements(); ++i) bytes[i] = bytes[i] != 0 ? 1 : 0;
}

int64_t TypedCount(const onnx::TensorProto& proto, DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return proto.float_data_size();
    case DataType::kFloat64:
      return proto.double_data_size();
    case DataType::kInt64:
      return proto.int64_data_size();
    case DataType::kUInt32:
    case DataType::kUInt64:
      return proto.uint64_data_size();
    default:
      return proto.int32_data_size();
  }
}

}  // namespace

absl::StatusOr<DataType> DataTypeFromOnnx(int32_t onnx_type) {
  if (onnx_type == onnx::TensorProto::STRING) return absl::UnimplementedError("string tensors are not supported");
  for (const TypeNumber& entry : kTypeNumbers) {
    if (entry.onnx_type == onnx_type) return entry.type;
  }
  return absl::UnimplementedError(absl::StrCat("ONNX element type ", onnx_type, " is not supported"));
}

int32_t DataTypeToOnnx(DataType type) {
  for (const TypeNumber& entry : kTypeNumbers) {
    if (entry.type == type) return entry.onnx_type;
  }
  TANDEM_CHECK(false, NameOf(type));
}

void TensorToOnnx(const Tensor& tensor, onnx::TensorProto& proto) {
  proto.set_data_type(DataTypeToOnnx(tensor.type()));
  for (int64_t dim : tensor.shape()) proto.add_dims(dim);
  proto.set_raw_data(tensor.data(), tensor.num_bytes());
}

absl::StatusOr<Tensor> TensorFromOnnx(const onnx::TensorProto& proto, const std::string& directory) {
  const auto type = DataTypeFromOnnx(proto.data_type());
  if (!type.ok()) return WithContext(type.status(), NameOf(proto));
  TANDEM_ASSIGN_OR_RETURN(Shape shape, ShapeOf(proto));
  const int64_t elements = NumElements(shape);
  const uint64_t bytes = static_cast<uint64_t>(elements) * SizeOf(*type);
  const bool external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  if (external) {
    TANDEM_ASSIGN_OR_RETURN(const uint64_t available, ExternalFileSize(proto, directory));
    if (available < bytes) {
      return Bad(proto, absl::StrCat("needs ", bytes, " bytes, its external data have ", available));
    }
  } else if (proto.has_raw_data()) {
    if (proto.raw_data().size() != bytes) {
      return Bad(proto,
                 absl::StrCat("of shape ", ToString(shape), " needs ", bytes, " bytes, has ", proto.raw_data().size()));
    }
  } else if (TypedCount(proto, *type) != elements) {
    return Bad(proto, absl::StrCat("of shape ", ToString(shape), " needs ", elements, " elements, has ",
                                   TypedCount(proto, *type)));
  }
  Tensor tensor(*type, std::move(shape));
  if (external) {
    TANDEM_RETURN_IF_ERROR(ReadExternal(proto, directory, tensor));
  } else if (proto.has_raw_data()) {
    if (bytes > 0) std::memcpy(tensor.data(), proto.raw_data().data(), bytes);
  } else {
    TANDEM_RETURN_IF_ERROR(CopyTyped(proto, tensor));
  }
  if (*type == DataType::kBool) MakeBoolsValid(tensor);
  return tensor;
}

Tensor WidenHalf(const Tensor& tensor) {
  const bool half = tensor.type() == DataType::kFloat16;
  if (!half && tensor.type() != DataType::kBFloat16) return tensor;
  Tensor wide(DataType::kFloat32, tensor.shape());
  const auto* bits = static_cast<const uint16_t*>(tensor.data());
  const auto out = wide.mutable_values<float>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = half ? HalfToFloat(bits[i]) : BFloat16ToFloat(bits[i]);
  return wide;
}

}  // namespace tandem::engine
