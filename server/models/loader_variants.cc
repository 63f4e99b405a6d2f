// What the Loader brings in line once a version serves in fp32: routes, settings, samples of live requests, and int8.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/models/loader.h"

namespace tandem::models {
namespace {

// How often samples of live requests are seen to where nothing else is looked at.
constexpr Duration kTendInterval = std::chrono::seconds(1);

}  // namespace

void Loader::AlignVariants(const std::vector<ModelFiles>& found, bool settled) {
  for (const ModelFiles& files : found) {
    absl::Status status;
    const config::ModelConfig config = ReadConfig(files, status);
    if (!status.ok()) continue;  // what serves goes on as it is
    samplers_.erase(files.name);
    if (config.samples_from_traffic.enabled) samplers_.insert({files.name, {files, config}});
    DesireRoute(files.name, config.route);
    for (int64_t number : registry_.LoadedNumbers(files.name)) {
      if (files.versions.contains(number)) AlignSettings({files.name, number}, config);
    }
    AlignInt8(files, config, settled);
  }
}

void Loader::AlignInt8(const ModelFiles& as_found, const config::ModelConfig& config, bool settled) {
  const ModelFiles files = WithTraffic(as_found, config);
  for (int64_t number : registry_.LoadedNumbers(files.name)) {
    if (!files.versions.contains(number)) continue;
    if (registry_.Get(files.name, number).state == State::kPublished) {
      lanes_.Align(files, number, config, settled);
    } else {
      lanes_.Rest({files.name, number});
    }
  }
}

void Loader::TendTraffic() {
  for (const auto& [model, sampler] : samplers_) AlignInt8(sampler.first, sampler.second, /*settled=*/true);
}

Time Loader::TimeToTend(Time tended) const {
  const bool polls = options_.poll_interval.count() > 0;
  return polls || samplers_.empty() ? Time::max() : tended + kTendInterval;
}

void Loader::AlignSettings(const Key& key, const config::ModelConfig& config) {
  const VersionHandle version = registry_.Loaded(key.first, key.second);
  if (version == nullptr) return;
  if (version->outcomes == config.outcomes && version->version_policy == config.version_policy) return;
  registry_.Change(key.first, key.second, [&](Version& changed) {
    changed.outcomes = config.outcomes;
    changed.version_policy = config.version_policy;
  });
}

ModelFiles Loader::WithTraffic(ModelFiles files, const config::ModelConfig& config) {
  const std::vector<int64_t> published = registry_.PublishedNumbers(files.name);
  if (published.empty()) {
    collector_.DropOld(files.name, config.samples_from_traffic);
    return files;
  }
  const int64_t newest = published.back();
  std::vector<std::string> inputs;
  for (const engine::TensorSpec& input : registry_.Loaded(files.name, newest)->fp32->model->inputs()) {
    inputs.push_back(input.name);
  }
  const bool wanted = files.samples_file.empty() && config.quantization.enabled != "false";
  const traffic::Traffic traffic = collector_.Align(files.name, inputs, config.samples_from_traffic, wanted);
  for (const int64_t number : registry_.LoadedNumbers(files.name)) {
    const auto collection = number == newest ? traffic.collection : nullptr;
    if (registry_.Loaded(files.name, number)->traffic == collection) continue;
    registry_.Change(files.name, number, [&](Version& version) { version.traffic = collection; });
  }
  if (!traffic.file.empty()) {
    files.samples_file = traffic.file;
    files.samples_stamp = traffic.stamp;
  }
  files.samples_note = traffic.note;
  return files;
}

}  // namespace tandem::models
