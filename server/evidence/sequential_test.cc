#include "server/evidence/sequential_test.h"

#include <algorithm>
#include <cmath>

namespace tandem::evidence {
namespace {

// Whether the mixture has made `log_threshold`. It never exceeds its best bet, which is quicker to find.
bool Reached(const PerBet& logs, double log_threshold) {
  return *std::max_element(logs.begin(), logs.end()) >= log_threshold && LogMean(logs) >= log_threshold;
}

bool AreFinite(const PerBet& logs) {
  return std::all_of(logs.begin(), logs.end(), [](double log) { return std::isfinite(log); });
}

}  // namespace

double AlphaOfAttempt(double alpha, int attempt) { return std::ldexp(alpha, -attempt); }

SequentialTest::SequentialTest(const Claim& claim, double alpha)
    : claim_(claim),
      log_threshold_(-std::log(alpha)),
      bets_below_(BetSizes(claim.high - claim.budget)),
      bets_above_(BetSizes(claim.budget - claim.low)) {}

absl::StatusOr<SequentialTest> SequentialTest::Restore(const Claim& claim, double alpha, const State& state) {
  const auto samples = static_cast<double>(state.samples);
  const bool sums = state.positive >= 0 && state.negative >= 0 &&
                    state.positive <= samples * std::max(claim.high, 0.0) &&
                    state.negative <= samples * std::max(-claim.low, 0.0);
  if (!sums || state.verdict > Verdict::kRejected || !AreFinite(state.below) || !AreFinite(state.above)) {
    return absl::InvalidArgumentError("not the state of a sequential test");
  }
  SequentialTest test(claim, alpha);
  test.state_ = state;
  return test;
}

void SequentialTest::Add(double loss) {
  const double x = Bounded(loss, claim_);
  ++state_.samples;
  (x > 0 ? state_.positive : state_.negative) += std::abs(x);
  const double gain = claim_.budget - x;
  for (size_t k = 0; k < kBets; ++k) {
    state_.below[k] += std::log1p(bets_below_[k] * gain);
    state_.above[k] += std::log1p(-bets_above_[k] * gain);
  }
  if (state_.verdict != Verdict::kUndecided) return;
  if (Reached(state_.below, log_threshold_)) state_.verdict = Verdict::kProven;
  if (Reached(state_.above, log_threshold_)) state_.verdict = Verdict::kRejected;
}

double SequentialTest::mean() const {
  if (state_.samples == 0) return 0;
  return (state_.positive - state_.negative) / static_cast<double>(state_.samples);
}

}  // namespace tandem::evidence
