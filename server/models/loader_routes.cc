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

void Loader::ShowProgress(const Key& key, const quantization::Progress& progress) {
  registry_.Change(key.first, key.second, [&](Version& version) {
    // The build may have been cancelled meanwhile.
    if (version.lane.state == LaneState::kBuilding) version.lane.progress = progress;
  });
}

}  // namespace tandem::models
