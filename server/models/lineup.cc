#include "server/models/lineup.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::models {
namespace {

absl::Status UnknownModel(const std::string& model) {
  return absl::NotFoundError(absl::StrCat("there is no model ", model));
}

}  // namespace

void Lineup::Restore(Rejections rejections) {
  MutexLock lock(mutex_);
  rejected_ = std::move(rejections);
}

absl::Status Lineup::SetRejected(const std::string& model, std::set<int64_t> rejected) {
  if (keep_) TANDEM_RETURN_IF_ERROR(keep_(model, rejected));
  if (rejected.empty()) {
    rejected_.erase(model);
  } else {
    rejected_[model] = std::move(rejected);
  }
  return absl::OkStatus();
}

void Lineup::Want(const std::string& model, Wishes wishes) {
  MutexLock lock(mutex_);
  if (const auto rejected = rejected_.find(model); rejected != rejected_.end()) {
    std::set<int64_t> left = rejected->second;
    std::erase_if(left, [&](int64_t number) { return !wishes.present.contains(number); });
    // What cannot be kept now, is when the server starts again and finds the files gone.
    if (left != rejected->second) SetRejected(model, std::move(left)).IgnoreError();
  }
  wishes_[model] = std::move(wishes);
}

void Lineup::Forget(const std::string& model) {
  MutexLock lock(mutex_);
  wishes_.erase(model);
  if (rejected_.contains(model)) SetRejected(model, {}).IgnoreError();
}

void Lineup::Add(VersionHandle version, const std::string& note) {
  const std::string model = version->model_name;
  const VersionStatus step{model, version->number, State::kPublished, ""};
  MutexLock lock(mutex_);
  registry_.Publish(std::move(version));
  if (on_step_) on_step_(step, note);
}

void Lineup::Settle(const std::string& model, const std::function<void(int64_t)>& retire) {
  MutexLock lock(mutex_);
  for (const int64_t number : SettleLocked(model)) retire(number);
}

std::vector<int64_t> Lineup::SettleLocked(const std::string& model) {
  const std::vector<int64_t> serving = registry_.PublishedNumbers(model);
  std::vector<LoadedVersion> loaded;
  for (const int64_t number : registry_.LoadedNumbers(model)) {
    loaded.push_back({number, std::find(serving.begin(), serving.end(), number) != serving.end()});
  }
  const auto rejected = rejected_.find(model);
  const Arrangement wanted =
      Arrange(loaded, wishes_[model], rejected == rejected_.end() ? std::set<int64_t>() : rejected->second);
  // First those that join, so that the model serves at every moment.
  for (const LoadedVersion& version : loaded) {
    if (version.serves || !wanted.serve.contains(version.number)) continue;
    registry_.Resume(model, version.number);
    if (on_step_) on_step_({model, version.number, State::kPublished, ""}, "it was kept warm");
  }
  std::vector<int64_t> gone;
  for (const LoadedVersion& version : loaded) {
    if (wanted.serve.contains(version.number)) continue;
    if (!wanted.keep.contains(version.number)) {
      gone.push_back(version.number);
    } else if (version.serves) {
      registry_.Shelve(model, version.number);
      if (on_step_) on_step_({model, version.number, State::kKept, ""}, "");
    }
  }
  return gone;
}

absl::Status Lineup::CheckCandidate(const std::string& model, int64_t number) const {
  MutexLock lock(mutex_);
  const auto wishes = wishes_.find(model);
  const bool known = wishes != wishes_.end() && wishes->second.present.contains(number);
  const auto rejected = rejected_.find(model);
  const std::string name = absl::StrCat("version ", number);
  if (!known) return absl::FailedPreconditionError(absl::StrCat("model ", model, " has no ", name));
  if (wishes->second.present.size() == 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", model, " has no other version to compare ", name, " with"));
  }
  if (rejected == rejected_.end() || !rejected->second.contains(number)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(name, " of model ", model, " was rolled back from: load the model to let it serve again"));
}

absl::StatusOr<int64_t> Lineup::Previous(const std::string& model) const {
  MutexLock lock(mutex_);
  const std::vector<int64_t> serving = registry_.PublishedNumbers(model);
  const auto wishes = wishes_.find(model);
  if (wishes == wishes_.end()) return UnknownModel(model);
  if (serving.empty()) return absl::FailedPreconditionError(absl::StrCat("no version of model ", model, " serves"));
  for (auto it = wishes->second.present.rbegin(); it != wishes->second.present.rend(); ++it) {
    if (*it < serving.back() && *it != wishes->second.candidate && wishes->second.Allows(*it)) return *it;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("model ", model, " has no version before ", serving.back(), " to roll back to"));
}

absl::StatusOr<bool> Lineup::Reject(const std::string& model, int64_t to) {
  MutexLock lock(mutex_);
  const std::vector<int64_t> serving = registry_.PublishedNumbers(model);
  const auto known = wishes_.find(model);
  if (known == wishes_.end()) return UnknownModel(model);
  if (serving.empty()) return absl::FailedPreconditionError(absl::StrCat("no version of model ", model, " serves"));
  const Wishes& wishes = known->second;
  if (to >= serving.back()) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", model, " serves version ", serving.back(), ", which is not newer than version ", to));
  }
  if (to == wishes.candidate) {
    return absl::FailedPreconditionError(
        absl::StrCat("version ", to, " of model ", model, " is the candidate of its route: end that first"));
  }
  if (!wishes.present.contains(to) || !wishes.Allows(to)) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", model, " has no version ", to, wishes.present.contains(to) ? " by its policy" : ""));
  }
  std::set<int64_t> rejected = wishes.present;
  rejected.erase(rejected.begin(), rejected.upper_bound(to));
  if (const auto before = rejected_.find(model); before != rejected_.end()) {
    rejected.insert(before->second.begin(), before->second.end());
  }
  rejected.erase(to);
  TANDEM_RETURN_IF_ERROR(SetRejected(model, std::move(rejected)));
  SettleLocked(model);  // what is to go, goes with the loader's next look
  const std::vector<int64_t> now = registry_.PublishedNumbers(model);
  return now.back() == to;
}

absl::Status Lineup::Pardon(const std::string& model) {
  MutexLock lock(mutex_);
  return rejected_.contains(model) ? SetRejected(model, {}) : absl::OkStatus();
}

bool Lineup::IsRejected(const std::string& model, int64_t number) const {
  MutexLock lock(mutex_);
  const auto rejected = rejected_.find(model);
  return rejected != rejected_.end() && rejected->second.contains(number);
}

}  // namespace tandem::models
