#include "server/models/int8_lanes.h"

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/models/load_variant.h"

namespace tandem::models {
namespace {

constexpr char kNothing[] = "nothing ";
constexpr char kSamples[] = "samples ";

// All that a lane is made from: when it changes the lane starts over.
std::string SourceOf(const ModelFiles& files, const VersionFiles& version, const config::QuantizationConfig& settings) {
  if (!version.int8_folder.empty()) return absl::StrCat("ready-made ", version.int8_stamp);
  if (settings.enabled == "false") return "off";
  if (files.samples_file.empty()) return absl::StrCat(kNothing, files.samples_note);
  return absl::StrCat(kSamples, files.samples_stamp, quantization::ToText(settings));
}

// Why no sibling is built of a version that has no ready-made one; empty: one is.
std::string WhyNone(const ModelFiles& files, const config::QuantizationConfig& settings) {
  if (settings.enabled == "false") return "it is switched off (quantization.enabled: false)";
  if (!files.samples_note.empty()) return files.samples_note;
  return files.samples_file.empty() ? "there are no samples to build it from" : "";
}

}  // namespace

void Int8Lanes::Align(const ModelFiles& files, int64_t number, const config::ModelConfig& config, bool settled) {
  const Key key{files.name, number};
  const std::string source = SourceOf(files, files.versions.at(number), config.quantization);
  const auto [followed, is_new] = followed_.try_emplace(key);
  Followed& lane = followed->second;
  if (!is_new && lane.source == source) return;
  // Samples of live requests may not be kept for ever: what was built from them serves until there are newer ones.
  if (!files.samples_note.empty() && absl::StartsWith(lane.source, kSamples)) return;
  // Files that appear while the server runs may still be being written.
  if (!settled && std::exchange(lane.seen, source) != source && !absl::StartsWith(source, kNothing)) return;
  builder_.Cancel(key);
  const bool had_none =
      lane.source.empty() || (absl::StartsWith(lane.source, kNothing) && absl::StartsWith(source, kNothing));
  if (!had_none) Enter(key, {.reason = "its files or settings have changed"});
  lane = {.source = source, .seen = source, .config = config};
  Start(key, files, config);
}

void Int8Lanes::Rest(const Key& key) {
  const VersionHandle version = registry_.Loaded(key.first, key.second);
  if (version == nullptr || version->lane.state != LaneState::kBuilding) return;
  Drop(key);
  Enter(key, {.reason = "its version does not serve"});
}

absl::Status Int8Lanes::Build(const ModelFiles& files, int64_t number, const config::ModelConfig& config, bool anew) {
  const Key key{files.name, number};
  const VersionFiles& version = files.versions.at(number);
  if (!version.int8_folder.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is a ready-made int8: remove ", version.int8_folder, " to have one built"));
  }
  if (const std::string why = WhyNone(files, config.quantization); !why.empty()) {
    return absl::FailedPreconditionError(why);
  }
  TANDEM_ASSIGN_OR_RETURN(const VersionHandle handle, registry_.Find(key.first, absl::StrCat(number)));
  const LaneState state = handle->lane.state;
  if (!anew && (state == LaneState::kBuilding || IsVerdict(state))) return absl::OkStatus();
  builder_.Cancel(key);
  if (state != LaneState::kAbsent) Enter(key, {.reason = "it is to be built again, by request"});
  const std::string source = SourceOf(files, version, config.quantization);
  followed_[key] = {.source = source, .seen = source, .config = config};
  StartBuild(key, files, config, anew);
  return absl::OkStatus();
}

absl::Status Int8Lanes::CancelBuild(const Key& key) {
  TANDEM_ASSIGN_OR_RETURN(const VersionHandle handle, registry_.Find(key.first, absl::StrCat(key.second)));
  if (handle->lane.state != LaneState::kBuilding) {
    return absl::FailedPreconditionError(absl::StrCat("no build runs: ", Describe(handle->lane)));
  }
  builder_.Cancel(key);
  Enter(key, {.reason = "its build was cancelled by request"});
  return absl::OkStatus();
}

void Int8Lanes::Drop(const Key& key) {
  if (followed_.erase(key) > 0) builder_.Cancel(key);
}

void Int8Lanes::TakeResults() {
  for (const quantization::BuildResult& result : builder_.TakeResults()) {
    const auto lane = followed_.find(result.key);
    if (lane == followed_.end()) continue;
    if (!result.artifact.ok()) {
      Enter(result.key, {.state = LaneState::kFailed, .reason = std::string(result.artifact.status().message())});
    } else if (const quantization::Artifact& artifact = *result.artifact; artifact.model_file.empty()) {
      Enter(result.key, {.state = LaneState::kRejected, .reason = artifact.report->reason, .report = artifact.report});
    } else {
      Enter(result.key, {.state = LaneState::kBuilt});
      Join(result.key, artifact, lane->second.config);
    }
  }
}

void Int8Lanes::Start(const Key& key, const ModelFiles& files, const config::ModelConfig& config) {
  const VersionFiles& version = files.versions.at(key.second);
  if (!version.int8_folder.empty()) {
    Enter(key, {.state = LaneState::kBuilt});
    Join(key, quantization::ReadyMadeArtifact(version.int8_folder), config);
    return;
  }
  if (std::string why = WhyNone(files, config.quantization); !why.empty()) {
    Enter(key, {.reason = std::move(why)});
  } else {
    StartBuild(key, files, config, /*anew=*/false);
  }
}

void Int8Lanes::StartBuild(const Key& key, const ModelFiles& files, const config::ModelConfig& config, bool anew) {
  Enter(key, {.state = LaneState::kBuilding});
  const quantization::Recipe recipe{.model_file = files.versions.at(key.second).model_file,
                                    .samples_file = files.samples_file,
                                    .labels_file = files.labels_file,
                                    .settings = config.quantization};
  builder_.Start(key, recipe, anew);
}

std::string Int8Lanes::ModelFileOf(const Key& key) const {
  const auto lane = followed_.find(key);
  return lane == followed_.end() ? "" : lane->second.model_file;
}

absl::Status Int8Lanes::CheckMemory(const std::string& model_file) const {
  if (!options_.check_memory) return absl::OkStatus();
  std::error_code error;
  const auto bytes = std::filesystem::file_size(model_file, error);
  return error ? absl::OkStatus() : options_.check_memory(BytesToLoad(static_cast<int64_t>(bytes)));
}

void Int8Lanes::Join(const Key& key, const quantization::Artifact& artifact, const config::ModelConfig& config) {
  const VersionHandle version = registry_.Loaded(key.first, key.second);
  if (version == nullptr) return;
  const VariantOptions how{.model_name = key.first,
                           .version = key.second,
                           .config = config,
                           .workers = options_.workers,
                           .wide_threads = options_.wide_threads};
  if (const absl::Status room = CheckMemory(artifact.model_file); !room.ok()) {
    Enter(key, {.state = LaneState::kFailed, .reason = std::string(room.message())});
    return;
  }
  absl::StatusOr<WarmVariant> loaded = LoadInt8(artifact.model_file, *version->fp32, how);
  if (!loaded.ok()) {
    Enter(key, {.state = LaneState::kFailed, .reason = std::string(loaded.status().message())});
    return;
  }
  followed_[key].model_file = artifact.model_file;
  const quantization::Report& report = *artifact.report;
  const Lane lane{.state = LaneStateOf(report.verdict), .reason = report.reason, .report = artifact.report};
  AutoState auto_state;
  if (options_.auto_state) auto_state = options_.auto_state({key.first, key.second, lane}, config.quantization);
  Enter(key, lane, options_.make_handle(std::move(loaded->variant)), loaded->note, auto_state);
}

void Int8Lanes::Enter(const Key& key, Lane lane, VariantHandle int8, const std::string& note,
                      const AutoState& auto_state) {
  const bool entered = registry_.Change(key.first, key.second, [&](Version& version) {
    version.lane = lane;
    version.int8 = int8;
    version.auto_state = auto_state;
  });
  if (entered && options_.on_step) options_.on_step({key.first, key.second, std::move(lane)}, note);
}

}  // namespace tandem::models
