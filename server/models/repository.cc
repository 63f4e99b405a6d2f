#include "server/models/repository.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tandem::models {
namespace {

namespace fs = std::filesystem;

// The names in `folder`, sorted; empty when it cannot be read.
std::vector<fs::path> Children(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> children;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string()[0] != '.') children.push_back(it->path());
  }
  std::sort(children.begin(), children.end());
  return children;
}

void AppendStamp(const fs::path& file, std::string& stamp) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) return;
  const auto time = fs::last_write_time(file, error);
  if (error) return;
  absl::StrAppend(&stamp, file.filename().string(), ":", size, ":", time.time_since_epoch().count(), ";");
}

int64_t BytesIn(const fs::path& folder) {
  std::error_code error;
  int64_t bytes = 0;
  for (const fs::path& file : Children(folder, error)) {
    std::error_code none;
    const auto size = fs::is_regular_file(file, none) ? fs::file_size(file, none) : 0;
    if (!none) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

std::string StampOf(const fs::path& folder) {
  std::error_code error;
  std::string stamp;
  for (const fs::path& file : Children(folder, error)) AppendStamp(file, stamp);
  return stamp;
}

ModelFiles ScanModel(const fs::path& folder) {
  std::error_code error;
  ModelFiles model{.name = folder.filename().string()};
  if (fs::exists(folder / "config.yaml", error)) model.config_file = (folder / "config.yaml").string();
  if (const fs::path samples = folder / "samples"; fs::is_regular_file(samples / "inputs.npz", error)) {
    model.samples_file = (samples / "inputs.npz").string();
    if (fs::is_regular_file(samples / "labels.npy", error)) model.labels_file = (samples / "labels.npy").string();
    AppendStamp(samples / "inputs.npz", model.samples_stamp);
    AppendStamp(samples / "labels.npy", model.samples_stamp);
  }
  for (const fs::path& child : Children(folder, error)) {
    int64_t number = 0;
    const fs::path file = child / "model.onnx";
    if (!absl::SimpleAtoi(child.filename().string(), &number) || number < 1 || !fs::is_regular_file(file, error)) {
      continue;
    }
    VersionFiles& version = model.versions[number];
    version = {.model_file = file.string(), .bytes = BytesIn(child), .stamp = StampOf(child)};
    if (const fs::path int8 = child / "int8"; fs::is_regular_file(int8 / "model.onnx", error)) {
      version.int8_folder = int8.string();
      version.int8_stamp = StampOf(int8);
    }
  }
  return model;
}

}  // namespace

absl::StatusOr<std::vector<ModelFiles>> ScanRepository(const std::string& folder) {
  std::error_code error;
  std::vector<ModelFiles> models;
  for (const fs::path& child : Children(folder, error)) {
    std::error_code ignored;
    if (!fs::is_directory(child, ignored)) continue;
    ModelFiles model = ScanModel(child);
    if (!model.versions.empty()) models.push_back(std::move(model));
  }
  if (error) return absl::UnavailableError(absl::StrCat("model repository ", folder, ": ", error.message()));
  return models;
}

absl::StatusOr<ModelFiles> SingleFile(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  ModelFiles model{.name = fs::path(path).stem().string()};
  model.versions[1] = {.model_file = path, .bytes = static_cast<int64_t>(fs::file_size(path, error))};
  AppendStamp(path, model.versions[1].stamp);
  return model;
}

int64_t BytesToLoad(int64_t file_bytes) {
  constexpr int64_t kCopies = 3;  // the message, the graph's constants and what is packed of them
  constexpr int64_t kBesides = int64_t{8} << 20;
  return kCopies * file_bytes + kBesides;
}

std::vector<int64_t> NewestFirst(const ModelFiles& files) {
  std::vector<int64_t> numbers;
  for (auto it = files.versions.rbegin(); it != files.versions.rend(); ++it) numbers.push_back(it->first);
  return numbers;
}

}  // namespace tandem::models
