#include "server/evidence/bets.h"

#include <algorithm>
#include <cmath>

namespace tandem::evidence {

double Bounded(double loss, const Claim& claim) {
  return std::isnan(loss) ? claim.high : std::clamp(loss, claim.low, claim.high);
}

PerBet BetSizes(double most) {
  constexpr double kSmallest = 0.001, kLargest = 0.95;
  const double limit = 1 / std::max(most, 1e-9);
  PerBet sizes;
  for (size_t k = 0; k < kBets; ++k) {
    const double at = static_cast<double>(k) / (kBets - 1);
    sizes[k] = limit * kSmallest * std::pow(kLargest / kSmallest, at);
  }
  return sizes;
}

double LogMean(const PerBet& logs) {
  const double most = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (double log : logs) sum += std::exp(log - most);
  return most + std::log(sum / kBets);
}

}  // namespace tandem::evidence
