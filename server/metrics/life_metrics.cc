#include "server/metrics/life_metrics.h"

#include <algorithm>

namespace tandem::metrics {

void LifeMetrics::Loading(const std::string& model, int64_t version, Time now) {
  MutexLock lock(mutex_);
  models_[model].versions[version] = {.loading_since = now};
}

void LifeMetrics::Failed(const std::string& model, int64_t version, absl::StatusCode code) {
  MutexLock lock(mutex_);
  ++failures_[static_cast<size_t>(code)];
  Model& known = models_[model];
  known.versions.erase(version);
  if (known.versions.empty()) models_.erase(model);
}

void LifeMetrics::Serves(const std::string& model, int64_t version, Time now) {
  MutexLock lock(mutex_);
  Model& known = models_[model];
  Version& entry = known.versions[version];
  if (entry.loading_since.has_value()) {
    ++published_;
    load_seconds_.Observe(static_cast<uint64_t>(Duration(now - *entry.loading_since).count()));
    entry.loading_since.reset();
  }
  const bool another = std::any_of(known.versions.begin(), known.versions.end(),
                                   [&](const auto& other) { return other.first != version && other.second.serves; });
  if (another && !entry.serves) ++known.totals.swaps;
  entry.serves = true;
}

void LifeMetrics::Rests(const std::string& model, int64_t version) {
  MutexLock lock(mutex_);
  models_[model].versions[version].serves = false;
}

void LifeMetrics::Ends(const std::string& model, int64_t version) {
  MutexLock lock(mutex_);
  const auto known = models_.find(model);
  if (known == models_.end()) return;
  known->second.versions.erase(version);
  if (known->second.versions.empty()) models_.erase(known);
}

void LifeMetrics::Promoted(const std::string& model) {
  MutexLock lock(mutex_);
  if (const auto known = models_.find(model); known != models_.end()) ++known->second.totals.promoted;
}

void LifeMetrics::Demoted(const std::string& model) {
  MutexLock lock(mutex_);
  if (const auto known = models_.find(model); known != models_.end()) ++known->second.totals.demoted;
}

LifeTotals LifeMetrics::Sum() const {
  MutexLock lock(mutex_);
  LifeTotals totals{.published = published_, .failures = failures_};
  load_seconds_.AddTo(totals.load_seconds);
  for (const auto& [name, model] : models_) totals.models[name] = model.totals;
  return totals;
}

}  // namespace tandem::metrics
