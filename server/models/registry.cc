#include "server/models/registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/check.h"

namespace tandem::models {
namespace {

std::string Name(absl::string_view model) {
  return absl::StrCat("model \"", absl::CHexEscape(model.substr(0, 120)), "\"");
}

}  // namespace

absl::StatusOr<VersionHandle> Registry::Find(absl::string_view model, absl::string_view version) const {
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end() || found->second.empty()) {
    return absl::NotFoundError(absl::StrCat("unknown ", Name(model)));
  }
  const Model& versions = found->second;
  if (version.empty()) {
    VersionHandle candidate;
    for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
      if (!it->second.serves()) continue;
      if (!it->second.handle->is_candidate()) return it->second.handle;
      candidate = it->second.handle;
    }
    if (candidate != nullptr) return candidate;
    const Entry& newest = versions.rbegin()->second;
    return absl::UnavailableError(
        absl::StrCat(Name(model), " is ", NameOf(newest.state), newest.reason.empty() ? "" : ": ", newest.reason));
  }
  int64_t number = 0;
  const auto entry = absl::SimpleAtoi(version, &number) ? versions.find(number) : versions.end();
  if (entry == versions.end()) {
    return absl::NotFoundError(
        absl::StrCat(Name(model), " has no version \"", absl::CHexEscape(version.substr(0, 40)), "\""));
  }
  if (entry->second.serves()) return entry->second.handle;
  return absl::UnavailableError(absl::StrCat(Name(model), " version ", number, " is ", NameOf(entry->second.state),
                                             entry->second.reason.empty() ? "" : ": ", entry->second.reason));
}

VersionHandle Registry::Serving(const std::string& model, int64_t version) const {
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return nullptr;
  const auto entry = found->second.find(version);
  return entry != found->second.end() && entry->second.serves() ? entry->second.handle : nullptr;
}

std::vector<VersionHandle> Registry::Published() const {
  return Handles([](const Entry& entry) { return entry.serves(); });
}

std::vector<VersionHandle> Registry::AllLoaded() const {
  return Handles([](const Entry& entry) { return entry.handle != nullptr; });
}

std::vector<VersionHandle> Registry::Handles(bool (*is_wanted)(const Entry&)) const {
  std::vector<VersionHandle> all;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, versions] : models_) {
      for (const auto& [number, entry] : versions) {
        if (is_wanted(entry)) all.push_back(entry.handle);
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const VersionHandle& a, const VersionHandle& b) {
    return std::tie(a->model_name, a->number) < std::tie(b->model_name, b->number);
  });
  return all;
}

std::vector<int64_t> Registry::NumbersOf(const std::string& model, bool (*is_wanted)(const Entry&)) const {
  MutexLock lock(mutex_);
  std::vector<int64_t> numbers;
  const auto found = models_.find(model);
  if (found == models_.end()) return numbers;
  for (const auto& [number, entry] : found->second) {
    if (is_wanted(entry)) numbers.push_back(number);
  }
  return numbers;
}

std::vector<int64_t> Registry::PublishedNumbers(const std::string& model) const {
  return NumbersOf(model, [](const Entry& entry) { return entry.serves(); });
}

std::vector<int64_t> Registry::LoadedNumbers(const std::string& model) const {
  return NumbersOf(model, [](const Entry& entry) { return entry.handle != nullptr; });
}

VersionHandle Registry::Loaded(const std::string& model, int64_t version) const {
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return nullptr;
  const auto entry = found->second.find(version);
  return entry == found->second.end() ? nullptr : entry->second.handle;
}

std::vector<VersionStatus> Registry::List() const {
  std::vector<VersionStatus> all;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, versions] : models_) {
      for (const auto& [number, entry] : versions) {
        const std::string reason = entry.serves() ? Describe(entry.handle->lane) : entry.reason;
        all.push_back({name, number, entry.state, reason});
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const VersionStatus& a, const VersionStatus& b) {
    return std::tie(a.model, a.version) < std::tie(b.model, b.version);
  });
  return all;
}

VersionStatus Registry::Get(const std::string& model, int64_t version) const {
  MutexLock lock(mutex_);
  VersionStatus status{model, version, State::kUnloaded, ""};
  const auto found = models_.find(model);
  if (found == models_.end()) return status;
  const auto entry = found->second.find(version);
  if (entry == found->second.end()) return status;
  status.state = entry->second.state;
  status.reason = entry->second.reason;
  return status;
}

Registry::Entry& Registry::EnterLocked(const std::string& model, int64_t version, State state) {
  Entry& entry = models_[model][version];
  TANDEM_CHECK(MayFollow(entry.state, state), absl::StrCat(NameOf(entry.state), " -> ", NameOf(state)));
  entry.state = state;
  entry.reason.clear();
  return entry;
}

void Registry::Enter(const std::string& model, int64_t version, State state, const std::string& reason) {
  MutexLock lock(mutex_);
  EnterLocked(model, version, state).reason = reason;
}

void Registry::Publish(VersionHandle version) {
  MutexLock lock(mutex_);
  Entry& entry = EnterLocked(version->model_name, version->number, State::kPublished);
  entry.handle = std::move(version);
}

void Registry::Shelve(const std::string& model, int64_t version) {
  MutexLock lock(mutex_);
  EnterLocked(model, version, State::kKept).reason = "it stays warm for a rollback";
}

void Registry::Resume(const std::string& model, int64_t version) {
  MutexLock lock(mutex_);
  EnterLocked(model, version, State::kPublished);
}

bool Registry::Change(const std::string& model, int64_t version, const std::function<void(Version&)>& change) {
  VersionHandle before;  // released outside the lock: it may be the last one
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return false;
  const auto entry = found->second.find(version);
  if (entry == found->second.end() || entry->second.handle == nullptr) return false;
  before = entry->second.handle;
  auto after = std::make_shared<Version>(*before);
  change(*after);
  const LaneState from = before->lane.state, to = after->lane.state;
  TANDEM_CHECK(from == to || MayFollow(from, to), absl::StrCat("int8 ", NameOf(from), " -> ", NameOf(to)));
  TANDEM_CHECK(after->int8 == nullptr || IsVerdict(to), "only a lane with a verdict has a variant");
  entry->second.handle = std::move(after);
  return true;
}

void Registry::Retract(const std::string& model, int64_t version) {
  VersionHandle last;  // released outside the lock: it may be the last one
  MutexLock lock(mutex_);
  last = std::exchange(EnterLocked(model, version, State::kDraining).handle, nullptr);
}

void Registry::Remove(const std::string& model, int64_t version) {
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return;
  found->second.erase(version);
  if (found->second.empty()) models_.erase(found);
}

}  // namespace tandem::models
