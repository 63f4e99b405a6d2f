// What operators order of the Loader: models are loaded and unloaded, and int8 siblings built, by hand.
#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/models/loader.h"

namespace tandem::models {
namespace {

// As the registry takes it: nothing is the newest.
std::string NumberText(int64_t version) { return version == 0 ? "" : absl::StrCat(version); }

absl::Status FilesHaveGone(const std::string& model, int64_t version) {
  return absl::UnavailableError(absl::StrCat("the files of model \"", model, "\" version ", version, " have gone"));
}

}  // namespace

absl::Status Loader::PlaceAfterDraining(const std::function<absl::Status(bool& drains)>& order) {
  while (true) {
    uint64_t buried = 0;
    {
      MutexLock lock(mutex_);
      buried = burials_;
    }
    bool drains = false;
    const absl::Status status = orders_.Place([&] { return order(drains); });
    if (!drains) return status;
    MutexLock lock(mutex_);
    while (!stopping_ && burials_ == buried) done_.Wait(mutex_);
  }
}

absl::Status Loader::Load(const std::string& model) {
  return PlaceAfterDraining([&](bool& drains) { return LoadNow(model, drains); });
}

absl::Status Loader::Unload(const std::string& model) {
  return orders_.Place([&] { return UnloadNow(model); });
}

absl::StatusOr<int64_t> Loader::Quantize(const std::string& model, int64_t version, bool anew) {
  absl::StatusOr<int64_t> number;
  const absl::Status status = orders_.Place([&] {
    number = QuantizeNow(model, version, anew);
    return number.status();
  });
  return status.ok() ? number : status;
}

absl::StatusOr<int64_t> Loader::CancelQuantize(const std::string& model, int64_t version) {
  int64_t number = 0;
  TANDEM_RETURN_IF_ERROR(orders_.Place([&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const VersionHandle handle, registry_.Find(model, NumberText(version)));
    number = handle->number;
    return lanes_.CancelBuild({model, number});
  }));
  return number;
}

absl::StatusOr<FilesToEvaluate> Loader::FindToEvaluate(const std::string& model, std::vector<int64_t> versions) {
  FilesToEvaluate found;
  TANDEM_RETURN_IF_ERROR(orders_.Place([&] { return FindToEvaluateNow(model, versions, found); }));
  return found;
}

absl::StatusOr<int64_t> Loader::Rollback(const std::string& model, int64_t to) {
  if (to == 0) {
    TANDEM_ASSIGN_OR_RETURN(to, lineup_.Previous(model));
  }
  TANDEM_ASSIGN_OR_RETURN(const bool at_once, lineup_.Reject(model, to));
  if (at_once) return to;
  const absl::Status loaded = PlaceAfterDraining([&](bool& drains) {
    const absl::Status status = LoadOlder(model, to);
    drains = !status.ok() && registry_.Get(model, to).state == State::kDraining;
    return status;
  });
  if (loaded.ok()) return to;
  TANDEM_RETURN_IF_ERROR(lineup_.Pardon(model));
  Sync();
  return loaded;
}

absl::Status Loader::LoadOlder(const std::string& model, int64_t to) {
  TANDEM_ASSIGN_OR_RETURN(const ModelFiles files, FindModel(model));
  if (const auto version = files.versions.find(to); version != files.versions.end()) {
    failed_.erase({model, to});
    unstable_[{model, to}] = version->second.stamp;
  }
  Align(files);
  AlignVariants({files}, /*settled=*/true);
  const std::vector<int64_t> serving = registry_.PublishedNumbers(model);
  if (!serving.empty() && serving.back() == to) return absl::OkStatus();
  const VersionStatus status = registry_.Get(model, to);
  return absl::FailedPreconditionError(
      absl::StrCat("version ", to, " of model ", model, " is ", NameOf(status.state), ": ", status.reason));
}

absl::StatusOr<ModelFiles> Loader::FindModel(const std::string& model) {
  for (ModelFiles& files : FindModels()) {
    if (files.name == model) return std::move(files);
  }
  return absl::NotFoundError(absl::StrCat("model \"", absl::CHexEscape(model.substr(0, 120)),
                                          "\" is in no repository, and no file of that name was given"));
}

absl::Status Loader::LoadNow(const std::string& model, bool& drains) {
  TANDEM_ASSIGN_OR_RETURN(const ModelFiles files, FindModel(model));
  if (unloaded_.contains(model)) {
    if (options_.keep_unloaded) TANDEM_RETURN_IF_ERROR(options_.keep_unloaded(model, false));
    unloaded_.erase(model);
  }
  TANDEM_RETURN_IF_ERROR(lineup_.Pardon(model));
  // Whoever asks says that the files are whole, and that what failed is worth another try.
  for (const auto& [number, version] : files.versions) {
    failed_.erase({model, number});
    unstable_[{model, number}] = version.stamp;
  }
  Align(files);
  known_models_.insert(model);
  AlignVariants({files}, /*settled=*/true);
  const absl::Status status = registry_.Find(model, "").status();
  drains = !status.ok() && std::any_of(files.versions.begin(), files.versions.end(), [&](const auto& version) {
    return registry_.Get(model, version.first).state == State::kDraining;
  });
  return status;
}

absl::Status Loader::UnloadNow(const std::string& model) {
  if (unloaded_.contains(model)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const ModelFiles files, FindModel(model));
  if (options_.keep_unloaded) TANDEM_RETURN_IF_ERROR(options_.keep_unloaded(model, true));
  unloaded_.insert(model);
  RetireUnloaded(files);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Loader::QuantizeNow(const std::string& model, int64_t version, bool anew) {
  TANDEM_ASSIGN_OR_RETURN(const VersionHandle handle, registry_.Find(model, NumberText(version)));
  TANDEM_ASSIGN_OR_RETURN(const ModelFiles files, FindModel(model));
  const int64_t number = handle->number;
  if (!files.versions.contains(number)) return FilesHaveGone(model, number);
  absl::Status status;
  const config::ModelConfig config = ReadConfig(files, status);
  TANDEM_RETURN_IF_ERROR(status);
  const absl::Status started = lanes_.Build(WithTraffic(files, config), number, config, anew);
  if (!started.ok()) return engine::WithContext(started, absl::StrCat("model \"", model, "\" version ", number));
  return number;
}

absl::Status Loader::FindToEvaluateNow(const std::string& model, std::vector<int64_t> versions,
                                       FilesToEvaluate& found) {
  TANDEM_ASSIGN_OR_RETURN(const ModelFiles files, FindModel(model));
  if (versions.empty()) {
    TANDEM_ASSIGN_OR_RETURN(const VersionHandle newest, registry_.Find(model, ""));
    versions = {newest->number};
  }
  for (const int64_t number : versions) {
    const VersionHandle version = registry_.Loaded(model, number);
    if (version == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("version ", number, " of model \"", model, "\" is ",
                                                        NameOf(registry_.Get(model, number).state), ", not loaded"));
    }
    const auto of_version = files.versions.find(number);
    if (of_version == files.versions.end()) return FilesHaveGone(model, number);
    found.variants.push_back({number, Precision::kFp32, of_version->second.model_file});
    const std::string int8 = version->int8 == nullptr ? "" : lanes_.ModelFileOf({model, number});
    if (!int8.empty()) found.variants.push_back({number, Precision::kInt8, int8});
  }
  found.samples_file = files.samples_file;
  found.labels_file = files.labels_file;
  return absl::OkStatus();
}

void Loader::RetireUnloaded(const ModelFiles& files) {
  Retract(files.name, registry_.LoadedNumbers(files.name));
  for (const auto& [number, version] : files.versions) {
    const Key key{files.name, number};
    if (failed_.erase(key) > 0) Enter(key, State::kUnloaded, kUnloadedByHand);
  }
  // The newest version is listed even if it was never loaded.
  const Key newest{files.name, files.versions.rbegin()->first};
  const VersionStatus status = registry_.Get(newest.first, newest.second);
  if (status.state != State::kUnloaded || !status.reason.empty()) return;
  registry_.Enter(newest.first, newest.second, State::kFound);
  Enter(newest, State::kUnloaded, kUnloadedByHand);
}

}  // namespace tandem::models
