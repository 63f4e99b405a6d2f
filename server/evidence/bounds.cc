#include "server/evidence/bounds.h"

#include <cmath>

namespace tandem::evidence {
namespace {

// Losses as so many of 1, 0 and -1. log(1 + bet (mean - x)) is concave in x: what lies between two of these counts as
// less than it would by itself, so wealth is never overstated.
struct Tally {
  double ones = 0, zeros = 0, minus_ones = 0;
};

// Log-wealth of bets that the mean is below `mean`, where no loss exceeds `high`.
double LogWealth(const Tally& tally, double mean, double high) {
  PerBet logs = BetSizes(high - mean);
  for (double& log : logs) {
    const double bet = log;
    log = tally.zeros * std::log1p(bet * mean) + tally.ones * std::log1p(bet * (mean - 1));
    if (tally.minus_ones > 0) log += tally.minus_ones * std::log1p(bet * (mean + 1));
  }
  return LogMean(logs);
}

// The least mean in [low, high] that the losses disprove being reached.
double Upper(const Tally& tally, double low, double high, double alpha) {
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (LogWealth(tally, middle, 1) >= -std::log(alpha) ? high : low) = middle;
  }
  return high;
}

}  // namespace

Bounds BoundsOf(const SequentialTest& test, double alpha) {
  const Claim& claim = test.claim();
  const SequentialTest::State& state = test.state();
  if (state.samples == 0) return {claim.low, claim.high};
  const double zeros = static_cast<double>(state.samples) - state.positive - state.negative;
  const Tally tally{state.positive, zeros, state.negative};
  if (claim.low < 0) {
    const Tally mirrored{state.negative, zeros, state.positive};
    return {-Upper(mirrored, -1, 1, alpha / 2), Upper(tally, -1, 1, alpha / 2)};
  }
  // Losses of [0, 1]: 1 - x swaps ones and zeros.
  const Tally mirrored{zeros, state.positive, 0};
  return {1 - Upper(mirrored, 0, 1, alpha / 2), Upper(tally, 0, 1, alpha / 2)};
}

}  // namespace tandem::evidence
