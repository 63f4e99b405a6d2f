// BuildMetrics: how building int8 siblings went. Written by the builder's thread, read from any.
#ifndef TANDEM_SERVER_METRICS_BUILD_METRICS_H_
#define TANDEM_SERVER_METRICS_BUILD_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/metrics/histogram.h"
#include "server/sync/time.h"

namespace tandem::metrics {

enum class BuildOutcome { kProven, kInconclusive, kRejected, kFailed, kCancelled };
inline constexpr const char* kBuildOutcomes[] = {"proven", "inconclusive", "rejected", "failed", "cancelled"};

// Nanoseconds: 1 s to 9 hours.
using BuildHistogram = Histogram<1'000'000'000, 17>;

struct BuildTotals {
  std::array<uint64_t, std::size(kBuildOutcomes)> outcomes{};
  BuildHistogram::Snapshot seconds;
};

class BuildMetrics {
 public:
  void Ended(BuildOutcome outcome, Duration took) {
    outcomes_[static_cast<size_t>(outcome)].Add(1);
    seconds_.Observe(static_cast<uint64_t>(took.count()));
  }
  BuildTotals Sum() const {
    BuildTotals totals;
    for (size_t i = 0; i < outcomes_.size(); ++i) totals.outcomes[i] = outcomes_[i].Get();
    seconds_.AddTo(totals.seconds);
    return totals;
  }

 private:
  std::array<Cell, std::size(kBuildOutcomes)> outcomes_;
  BuildHistogram seconds_;
};

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_BUILD_METRICS_H_
