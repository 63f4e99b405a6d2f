// LifeMetrics: what became of versions: loads, swaps, promotions. Thread-safe; of no request's path.
//
// What is kept of a model goes when its last version does.
#ifndef TANDEM_SERVER_METRICS_LIFE_METRICS_H_
#define TANDEM_SERVER_METRICS_LIFE_METRICS_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "engine/mutex.h"
#include "server/metrics/histogram.h"
#include "server/metrics/version_metrics.h"
#include "server/sync/time.h"

namespace tandem::metrics {

struct ModelLifeTotals {
  uint64_t swaps = 0;  // a version took over while another served
  uint64_t promoted = 0, demoted = 0;
};

struct LifeTotals {
  uint64_t published = 0;                      // loads that ended so
  std::array<uint64_t, kNumCodes> failures{};  // and those that did not, by status code
  LatencyHistogram::Snapshot load_seconds;     // of those published
  std::map<std::string, ModelLifeTotals> models;
};

class LifeMetrics {
 public:
  // Steps of a version's life.
  void Loading(const std::string& model, int64_t version, Time now);
  void Failed(const std::string& model, int64_t version, absl::StatusCode code);
  // It takes requests: after Loading, or again.
  void Serves(const std::string& model, int64_t version, Time now);
  // It takes requests no more, but is kept.
  void Rests(const std::string& model, int64_t version);
  void Ends(const std::string& model, int64_t version);

  // What is known of no version is not counted.
  void Promoted(const std::string& model);
  void Demoted(const std::string& model);

  LifeTotals Sum() const;

 private:
  struct Version {
    std::optional<Time> loading_since;
    bool serves = false;
  };
  struct Model {
    std::map<int64_t, Version> versions;
    ModelLifeTotals totals;
  };

  mutable Mutex mutex_;
  std::map<std::string, Model> models_ ABSL_GUARDED_BY(mutex_);
  uint64_t published_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<uint64_t, kNumCodes> failures_ ABSL_GUARDED_BY(mutex_){};
  LatencyHistogram load_seconds_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_LIFE_METRICS_H_
