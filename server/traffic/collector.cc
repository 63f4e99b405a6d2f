#include "server/traffic/collector.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/npz/npz.h"

namespace tandem::traffic {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "inputs.npz";

bool IsFinite(const engine::Tensor& tensor) {
  const auto all_finite = [](auto values) {
    return std::all_of(values.begin(), values.end(), [](auto value) { return std::isfinite(value); });
  };
  if (tensor.type() == engine::DataType::kFloat32) return all_finite(tensor.values<float>());
  if (tensor.type() == engine::DataType::kFloat64) return all_finite(tensor.values<double>());
  return true;
}

// Whether it was written longer ago than `age`, or not at all.
bool IsTooOld(const fs::path& file, std::chrono::nanoseconds age) {
  std::error_code error;
  const fs::file_time_type written = fs::last_write_time(file, error);
  return error || fs::file_time_type::clock::now() - written > age;
}

Traffic Stored(const fs::path& file) {
  std::error_code ignored;
  const auto written = fs::last_write_time(file, ignored).time_since_epoch().count();
  return {.file = file.string(), .stamp = absl::StrCat("traffic ", written)};
}

// In steps of a tenth, so that it is not told too often.
std::string NoteOf(int64_t seen, int64_t of_requests) {
  const int64_t tenths = std::min<int64_t>(10 * seen / std::max<int64_t>(of_requests, 1), 10);
  return absl::StrCat("samples are collected from traffic: ", 10 * tenths, " % of ", of_requests, " requests seen");
}

}  // namespace

Collector::Collector(CollectorOptions options)
    : options_(std::move(options)),
      folder_(options_.state_dir.empty() ? fs::path() : fs::path(options_.state_dir) / "traffic") {}

Traffic Collector::Align(const std::string& model, const std::vector<std::string>& inputs,
                         const config::TrafficSamplesConfig& config, bool wanted) {
  if (folder_.empty()) return {};
  if (!wanted || !config.enabled) {
    Remove(model);
    return {};
  }
  DropOld(model, config);
  const fs::path file = FolderOf(model) / kFile;
  if (std::error_code error; fs::exists(file, error)) return Stored(file);
  const std::shared_ptr<Collection> collection = CollectionOf(model, config);
  const int64_t seen = collection->Size().seen;
  if (seen < config.of_requests) return {.note = NoteOf(seen, config.of_requests), .collection = collection};
  const bool written = Write(model, inputs, *collection);
  collecting_.erase(model);
  if (written) return Stored(file);
  return {.note = NoteOf(0, config.of_requests), .collection = CollectionOf(model, config)};
}

std::shared_ptr<Collection> Collector::CollectionOf(const std::string& model,
                                                    const config::TrafficSamplesConfig& config) {
  const auto found = collecting_.find(model);
  if (found != collecting_.end() && found->second.config == config) return found->second.collection;
  const ReservoirLimits limits{.samples = static_cast<size_t>(config.count),
                               .bytes = static_cast<size_t>(config.max_bytes),
                               .age = config.max_age};
  auto collection = std::make_shared<Collection>(limits, std::random_device()());
  collecting_.insert_or_assign(model, Collecting{config, collection});
  return collection;
}

bool Collector::Write(const std::string& model, const std::vector<std::string>& inputs, Collection& collection) const {
  engine::NamedTensors arrays;
  size_t count = 0;
  for (Inputs& sample : collection.TakeAll(Now())) {
    // Such numbers say nothing about the ranges of others.
    if (sample.size() != inputs.size() || !std::all_of(sample.begin(), sample.end(), IsFinite)) continue;
    for (size_t i = 0; i < inputs.size(); ++i) {
      arrays.insert_or_assign(absl::StrCat(inputs[i], ".", count), std::move(sample[i]));
    }
    ++count;
  }
  std::error_code error;
  fs::create_directories(FolderOf(model), error);
  // Nobody else needs to read what clients have sent.
  fs::permissions(folder_, fs::perms::owner_all, error);
  absl::Status status = absl::FailedPreconditionError("no request was fit for it");
  if (count > 0) status = engine::WriteNpz((FolderOf(model) / kFile).string(), arrays);
  if (status.ok()) return true;
  if (options_.on_warning) {
    options_.on_warning(absl::StrCat("model ", model, ": no samples were kept of its traffic: ", status.message()));
  }
  return false;
}

void Collector::DropOld(const std::string& model, const config::TrafficSamplesConfig& config) {
  std::error_code ignored;
  const bool unwanted = !config.enabled || IsTooOld(FolderOf(model) / kFile, config.max_age);
  if (unwanted && !folder_.empty()) fs::remove_all(FolderOf(model), ignored);
}

void Collector::Remove(const std::string& model) {
  collecting_.erase(model);
  std::error_code ignored;
  fs::remove_all(FolderOf(model), ignored);
}

void Collector::KeepOnly(const std::set<std::string>& models) {
  std::erase_if(collecting_, [&](const auto& one) { return !models.contains(one.first); });
  std::error_code error;
  std::vector<fs::path> gone;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (!models.contains(entry.path().filename().string())) gone.push_back(entry.path());
  }
  for (const fs::path& folder : gone) fs::remove_all(folder, error);
}

}  // namespace tandem::traffic
