#include "engine/tool/kept_times.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/quantize/artifact.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "engine/tool/cache_folder.h"

namespace tandem::engine {

namespace {

constexpr char kFile[] = "times.json";

// The processor's name, as far as the kernel tells it: the same level of instructions is not the same speed.
std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "model name")) return line;
  }
  return "";
}

std::string FolderOf(const std::string& folder) {
  if (!folder.empty()) return folder;
  const auto cache = CacheFolder();
  return cache.ok() ? (*cache / "times").string() : "";
}

}  // namespace

KeptTimes::KeptTimes(const std::string& folder, absl::string_view model_sha256, absl::string_view method, int threads) {
  const std::string all = FolderOf(folder);
  if (all.empty()) return;
  // Another way of choosing layers changes the leading number.
  const std::string name =
      Sha256Of(absl::StrCat("1 ", model_sha256, " ", method, " ", CpuLevel(), " ", threads, " ", Processor()));
  folder_ = (std::filesystem::path(all) / name).string();
  std::ifstream file(std::filesystem::path(folder_) / kFile);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (auto book = TimeBook::FromText(text); book.ok()) book_ = *std::move(book);
}

void KeptTimes::Save() const {
  if (folder_.empty() || !book_.has_news()) return;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder_).parent_path(), error);
  WriteFolder(folder_, {{kFile, book_.ToText()}}).IgnoreError();  // measured again another time
}

}  // namespace tandem::engine
