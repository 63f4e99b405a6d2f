#include "server/evidence/change_detector.h"

#include <algorithm>
#include <cmath>

namespace tandem::evidence {
namespace {

// log(1 + exp(x)), without overflow.
double LogOnePlusExp(double x) { return x > 36 ? x : std::log1p(std::exp(x)); }

}  // namespace

ChangeDetector::ChangeDetector(const Claim& claim, double run_length)
    : claim_(claim), log_threshold_(std::log1p(run_length)), bets_(BetSizes(claim.budget - claim.low)) {}

absl::StatusOr<ChangeDetector> ChangeDetector::Restore(const Claim& claim, double run_length, const State& state) {
  const bool valid = state.samples >= 0 && std::all_of(state.log_next.begin(), state.log_next.end(),
                                                       [](double log) { return std::isfinite(log) && log >= 0; });
  if (!valid) return absl::InvalidArgumentError("not the state of a change detector");
  ChangeDetector detector(claim, run_length);
  detector.state_ = state;
  return detector;
}

void ChangeDetector::Add(double loss) {
  const double excess = Bounded(loss, claim_) - claim_.budget;
  ++state_.samples;
  for (size_t k = 0; k < kBets; ++k) {
    state_.log_next[k] = LogOnePlusExp(state_.log_next[k] + std::log1p(bets_[k] * excess));
  }
  const double best = *std::max_element(state_.log_next.begin(), state_.log_next.end());
  if (best >= log_threshold_ && LogMean(state_.log_next) >= log_threshold_) state_.alarm = true;
}

}  // namespace tandem::evidence
