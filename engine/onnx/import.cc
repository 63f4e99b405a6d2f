#include "engine/onnx/import.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/onnx/graph_builder.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr int kOldestOpset = 7;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status)) return absl::NotFoundError("no such file");
  if (!std::filesystem::is_regular_file(status)) return absl::InvalidArgumentError("not a file");
  const auto size = std::filesystem::file_size(path, error);
  if (error) return absl::UnavailableError(error.message());
  if (size > static_cast<uintmax_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(
        absl::StrCat("is ", size, " bytes long; ONNX files end at 2 GiB (larger weights go into external data)"));
  }
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return absl::UnavailableError("cannot be read");
  return bytes;
}

// `directory` is where external data lie; empty refuses them.
absl::StatusOr<Graph> BuildGraph(const onnx::ModelProto& model, const std::string& directory) {
  FileContext file;
  file.directory = directory;
  for (const auto& function : model.functions()) {
    file.functions[absl::StrCat(function.domain(), ":", function.name())] = &function;
  }
  int opset = 1;
  for (const auto& import : model.opset_import()) {
    if (IsDefaultDomain(import.domain())) opset = static_cast<int>(import.version());
  }
  if (opset < kOldestOpset && model.opset_import_size() > 0) {
    return absl::UnimplementedError(
        absl::StrCat("uses operator set ", opset, "; the oldest supported is ", kOldestOpset));
  }
  GraphBuilder builder(file, opset);
  TANDEM_RETURN_IF_ERROR(builder.AddGraph(model.graph()));
  return builder.TakeGraph();
}

}  // namespace

absl::StatusOr<Graph> ImportOnnxBytes(absl::string_view bytes, const std::string& directory) {
  onnx::ModelProto model;
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetRecursionLimit(200);
  if (!model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    return absl::InvalidArgumentError("is no ONNX file, or is truncated");
  }
  if (!model.has_graph()) return absl::InvalidArgumentError("holds no graph");
  return BuildGraph(model, directory);
}

absl::StatusOr<Graph> ImportOnnxFile(const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return WithContext(bytes.status(), path);
  const std::string directory = std::filesystem::path(path).parent_path().string();
  absl::StatusOr<Graph> graph = ImportOnnxBytes(*bytes, directory.empty() ? "." : directory);
  if (!graph.ok()) return WithContext(graph.status(), path);
  return graph;
}

}  // namespace tandem::engine
