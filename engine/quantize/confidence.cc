#include "engine/quantize/confidence.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace tandem::engine {

namespace {

constexpr int kBisections = 60;

// P(at most `hits` of `count`) when each has probability `p`.
double BinomialTail(int64_t hits, int64_t count, double p) {
  if (hits >= count || p <= 0) return 1;
  if (p >= 1) return 0;
  double sum = 0;
  for (int64_t k = 0; k <= hits; ++k) {
    const auto n = static_cast<double>(count), i = static_cast<double>(k);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) + i * std::log(p) +
                    (n - i) * std::log1p(-p));
  }
  return std::min(sum, 1.0);
}

// The p in [0, 1] where the falling function `f` passes `level`.
template <typename F>
double Solve(F&& f, double level) {
  double low = 0, high = 1;
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (low + high) / 2;
    (f(middle) > level ? low : high) = middle;
  }
  return (low + high) / 2;
}

// What a stake of 1 has become when betting, with a grid of bet sizes, that the mean of numbers from [0, 1] is below
// `mean`.
double Wealth(const std::vector<double>& values, double mean) {
  constexpr int kBets = 24;
  double total = 0;
  for (int k = 0; k < kBets; ++k) {
    const double share = 0.001 * std::pow(950.0, k / (kBets - 1.0));  // of the largest that cannot go broke
    const double bet = share / std::max(1 - mean, 1e-12);
    double log_wealth = 0;
    for (double value : values) log_wealth += std::log1p(bet * (mean - value));
    total += std::exp(log_wealth) / kBets;
  }
  return total;
}

double UpperBound(const std::vector<double>& values, double confidence) {
  // Wealth grows with the mean that is bet against.
  return Solve([&](double mean) { return -Wealth(values, mean); }, -1 / (1 - confidence));
}

}  // namespace

Bounds ClopperPearson(int64_t hits, int64_t count, double confidence) {
  if (count == 0) return {0, 1};
  const double miss = 1 - confidence;
  Bounds bounds;
  bounds.upper = hits == count ? 1 : Solve([&](double p) { return BinomialTail(hits, count, p); }, miss);
  bounds.lower = hits == 0 ? 0 : Solve([&](double p) { return BinomialTail(hits - 1, count, p); }, 1 - miss);
  return bounds;
}

Bounds DifferenceBounds(int64_t first, int64_t second, int64_t count, double confidence) {
  const double each = (1 + confidence) / 2;
  const Bounds a = ClopperPearson(first, count, each), b = ClopperPearson(second, count, each);
  return {a.lower - b.upper, a.upper - b.lower};
}

Bounds BettingBounds(const std::vector<double>& values, double low, double high, double confidence) {
  if (values.empty()) return {low, high};
  std::vector<double> scaled, mirrored;
  for (double value : values) {
    scaled.push_back((value - low) / (high - low));
    mirrored.push_back(1 - scaled.back());
  }
  return {low + (high - low) * (1 - UpperBound(mirrored, confidence)),
          low + (high - low) * UpperBound(scaled, confidence)};
}

Bounds BootstrapRatio(const std::vector<double>& numerators, const std::vector<double>& denominators, double confidence,
                      uint64_t seed) {
  constexpr int kResamples = 2000;
  const size_t count = numerators.size();
  if (count == 0) return {0, 1};
  std::mt19937_64 random(seed);
  std::vector<double> ratios;
  for (int i = 0; i < kResamples; ++i) {
    double numerator = 0, denominator = 0;
    for (size_t k = 0; k < count; ++k) {
      const size_t drawn = random() % count;
      numerator += numerators[drawn];
      denominator += denominators[drawn];
    }
    ratios.push_back(denominator > 0 ? numerator / denominator : 0);
  }
  std::sort(ratios.begin(), ratios.end());
  const auto at = [&](double share) { return ratios[static_cast<size_t>(share * (kResamples - 1))]; };
  return {at(1 - confidence), at(confidence)};
}

}  // namespace tandem::engine
