// What the Loader makes of a model's config.yaml and of its route for versions that are loaded, at every look.
#include "engine/status.h"
#include "server/models/loader.h"

namespace tandem::models {

int64_t Loader::CandidateOf(const ModelFiles& files, const config::ModelConfig& config, const absl::Status& read) {
  // A config.yaml that cannot be read puts no candidate in charge.
  if (read.ok()) candidates_[files.name] = DesireRoute(files.name, config.route).candidate_version;
  return candidates_[files.name];
}

absl::Status Loader::Realign(const std::string& model, int64_t candidate) {
  return orders_.Place([&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const ModelFiles files, FindModel(model));
    if (unloaded_.contains(model)) return absl::OkStatus();
    // Whoever names it says that its files are whole, as are those of the older versions that it is to be compared
    // with, and that it is worth another try if it has failed.
    failed_.erase({model, candidate});
    for (const auto& [number, version] : files.versions) {
      if (number <= candidate) unstable_[{model, number}] = version.stamp;
    }
    Align(files);
    known_models_.insert(model);
    AlignVariants({files}, /*settled=*/true);
    return absl::OkStatus();
  });
}

void Loader::AlignVariants(const std::vector<ModelFiles>& found, bool settled) {
  for (const ModelFiles& files : found) {
    absl::Status status;
    const config::ModelConfig config = ReadConfig(files, status);
    if (!status.ok()) continue;  // what serves goes on as it is
    DesireRoute(files.name, config.route);
    for (int64_t number : registry_.LoadedNumbers(files.name)) {
      if (!files.versions.contains(number)) continue;
      AlignOutcomes({files.name, number}, config.outcomes);
      if (registry_.Get(files.name, number).state == State::kPublished) {
        lanes_.Align(files, number, config, settled);
      } else {
        lanes_.Rest({files.name, number});
      }
    }
  }
}

void Loader::AlignOutcomes(const Key& key, const config::OutcomesConfig& wanted) {
  const VersionHandle version = registry_.Loaded(key.first, key.second);
  if (version == nullptr || version->outcomes == wanted) return;
  registry_.Change(key.first, key.second, [&](Version& changed) { changed.outcomes = wanted; });
}

void Loader::ShowProgress(const Key& key, const quantization::Progress& progress) {
  registry_.Change(key.first, key.second, [&](Version& version) {
    // The build may have been cancelled meanwhile.
    if (version.lane.state == LaneState::kBuilding) version.lane.progress = progress;
  });
}

}  // namespace tandem::models
