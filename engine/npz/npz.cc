#include "engine/npz/npz.h"

#include <zip.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/ops/dims.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr absl::string_view kMagic("\x93NUMPY", 6);

struct TypeCode {
  const char* code;
  DataType type;
};
constexpr TypeCode kTypeCodes[] = {
    {"<f4", DataType::kFloat32}, {"<f8", DataType::kFloat64}, {"<f2", DataType::kFloat16}, {"|i1", DataType::kInt8},
    {"<i2", DataType::kInt16},   {"<i4", DataType::kInt32},   {"<i8", DataType::kInt64},   {"|u1", DataType::kUInt8},
    {"<u2", DataType::kUInt16},  {"<u4", DataType::kUInt32},  {"<u8", DataType::kUInt64},  {"|b1", DataType::kBool},
};

// The text between `key': ` and `end` in the header, a Python dictionary.
std::optional<std::string> HeaderField(absl::string_view header, absl::string_view key, char end) {
  const size_t at = header.find(absl::StrCat("'", key, "':"));
  if (at == absl::string_view::npos) return std::nullopt;
  const size_t begin = at + key.size() + 3;
  const size_t stop = header.find(end, begin);
  if (stop == absl::string_view::npos) return std::nullopt;
  return std::string(absl::StripAsciiWhitespace(header.substr(begin, stop - begin)));
}

absl::StatusOr<DataType> ParseType(absl::string_view text) {
  for (const TypeCode& entry : kTypeCodes) {
    if (text == absl::StrCat("'", entry.code, "'")) return entry.type;
  }
  return absl::UnimplementedError(absl::StrCat("elements of type ", text, " are not supported"));
}

absl::StatusOr<Shape> ParseShape(absl::string_view text) {
  Shape shape;
  absl::ConsumePrefix(&text, "(");
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim)) {
      return absl::InvalidArgumentError(absl::StrCat("the shape (", text, ") makes no sense"));
    }
    shape.push_back(dim);
  }
  TANDEM_RETURN_IF_ERROR(CheckDims(shape));
  return shape;
}

Tensor WidenBFloat16(const Tensor& tensor) {
  Tensor wide(DataType::kFloat32, tensor.shape());
  const auto* const bits = static_cast<const uint16_t*>(tensor.data());
  for (int64_t i = 0; i < wide.num_elements(); ++i) wide.mutable_values<float>()[i] = BFloat16ToFloat(bits[i]);
  return wide;
}

struct ZipCloser {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct ZipFileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

absl::StatusOr<std::string> ReadMember(zip_t* archive, zip_uint64_t index, std::string& name) {
  zip_stat_t stat;
  if (zip_stat_index(archive, index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0) {
    return absl::DataLossError("the archive's directory cannot be read");
  }
  name = stat.name;
  const std::unique_ptr<zip_file_t, ZipFileCloser> file(zip_fopen_index(archive, index, 0));
  if (file == nullptr) return absl::DataLossError(absl::StrCat("member '", name, "' cannot be opened"));
  // The size that the directory claims is not trusted: memory grows with what really comes.
  std::string bytes;
  std::vector<char> chunk(1 << 20);
  for (;;) {
    const zip_int64_t got = zip_fread(file.get(), chunk.data(), chunk.size());
    if (got < 0) return absl::DataLossError(absl::StrCat("member '", name, "' is damaged"));
    if (got == 0) return bytes;
    bytes.append(chunk.data(), static_cast<size_t>(got));
  }
}

}  // namespace

absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view bytes) {
  if (bytes.size() < 10 || !absl::StartsWith(bytes, kMagic)) return absl::InvalidArgumentError("is no .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool long_header = byte(6) >= 2;
  if (long_header && bytes.size() < 12) return absl::InvalidArgumentError("is truncated");
  const size_t begin = long_header ? 12 : 10;
  const size_t length = byte(8) | byte(9) << 8 | (long_header ? byte(10) << 16 | byte(11) << 24 : 0);
  if (bytes.size() - begin < length) return absl::InvalidArgumentError("is truncated");
  const absl::string_view header = bytes.substr(begin, length);
  const auto descr = HeaderField(header, "descr", ',');
  const auto order = HeaderField(header, "fortran_order", ',');
  const auto dims = HeaderField(header, "shape", ')');
  if (!descr || !order || !dims) return absl::InvalidArgumentError("has a header without descr, order and shape");
  if (*order != "False") return absl::UnimplementedError("column-major arrays are not supported");
  TANDEM_ASSIGN_OR_RETURN(const DataType type, ParseType(*descr));
  TANDEM_ASSIGN_OR_RETURN(Shape shape, ParseShape(*dims));
  return NpyHeader{type, std::move(shape), begin + length};
}

absl::StatusOr<Tensor> ParseNpy(absl::string_view bytes) {
  TANDEM_ASSIGN_OR_RETURN(NpyHeader header, ParseNpyHeader(bytes));
  const DataType type = header.type;
  Shape shape = std::move(header.shape);
  const absl::string_view data = bytes.substr(header.data_offset);
  const size_t expected = static_cast<size_t>(NumElements(shape)) * SizeOf(type);
  if (data.size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat("holds ", data.size(), " bytes for ", ToString(shape), " of ",
                                                   NameOf(type), ", which needs ", expected));
  }
  Tensor tensor(type, std::move(shape));
  auto* const bytes_out = static_cast<char*>(tensor.data());
  if (expected > 0) std::memcpy(bytes_out, data.data(), expected);
  if (type == DataType::kBool) {  // any byte may come from a file; only 0 and 1 are bools
    for (size_t i = 0; i < expected; ++i) bytes_out[i] = bytes_out[i] != 0 ? 1 : 0;
  }
  return tensor;
}

std::string FormatNpy(const Tensor& given) {
  const Tensor tensor = given.type() == DataType::kBFloat16 ? WidenBFloat16(given) : given;
  const char* code = nullptr;
  for (const TypeCode& entry : kTypeCodes) {
    if (entry.type == tensor.type()) code = entry.code;
  }
  TANDEM_CHECK(code != nullptr, NameOf(tensor.type()));
  std::string header = absl::StrCat("{'descr': '", code, "', 'fortran_order': False, 'shape': (",
                                    absl::StrJoin(tensor.shape(), ", "), tensor.rank() == 1 ? ",), }" : "), }");
  header.append(63 - (header.size() + 10) % 64, ' ');
  header.push_back('\n');
  std::string bytes(kMagic);
  bytes.append({1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)});
  return absl::StrCat(bytes, header, absl::string_view(static_cast<const char*>(tensor.data()), tensor.num_bytes()));
}

absl::StatusOr<Tensor> ReadNpy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto tensor = ParseNpy(bytes);
  if (!tensor.ok()) return WithContext(tensor.status(), path);
  return tensor;
}

absl::StatusOr<NamedTensors> ReadNpz(const std::string& path) {
  int error = 0;
  const std::unique_ptr<zip_t, ZipCloser> archive(zip_open(path.c_str(), ZIP_RDONLY, &error));
  if (archive == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", error == ZIP_ER_NOENT ? "does not exist" : "is no .npz file"));
  }
  NamedTensors tensors;
  const zip_int64_t members = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < members; ++i) {
    std::string name;
    auto bytes = ReadMember(archive.get(), static_cast<zip_uint64_t>(i), name);
    if (!bytes.ok()) return WithContext(bytes.status(), path);
    auto tensor = ParseNpy(*bytes);
    if (!tensor.ok()) return WithContext(tensor.status(), absl::StrCat(path, ": '", name, "'"));
    tensors.emplace(absl::StripSuffix(name, ".npy"), *std::move(tensor));
  }
  return tensors;
}

absl::Status WriteNpz(const std::string& path, const NamedTensors& tensors) {
  const std::string temporary = path + ".tmp";
  int error = 0;
  zip_t* archive = zip_open(temporary.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (archive == nullptr) return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  std::vector<std::string> contents;  // must outlive zip_close
  contents.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    contents.push_back(FormatNpy(tensor));
    zip_source_t* source = zip_source_buffer(archive, contents.back().data(), contents.back().size(), 0);
    const zip_int64_t index = zip_file_add(archive, (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index >= 0) zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  }
  if (zip_close(archive) != 0) {
    const std::string reason = zip_strerror(archive);
    zip_discard(archive);
    return absl::UnavailableError(absl::StrCat(path, ": ", reason));
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be renamed into place"));
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
