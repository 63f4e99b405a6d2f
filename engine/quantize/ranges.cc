#include "engine/quantize/ranges.h"

#include <algorithm>
#include <cmath>

#include "engine/quantize/scheme.h"

namespace tandem::engine {

namespace {

constexpr int kSteps = 40;
constexpr double kNarrowest = 0.2;  // of the extremes

// What storing the histogram's elements by `params` costs, in squares.
double SquaredError(const Histogram& histogram, const QuantParams& params) {
  const double scale = params.scale;
  const double low = -params.zero_point, high = 255 - params.zero_point;
  double error = 0;
  const auto& counts = histogram.counts();
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double x = histogram.Center(static_cast<int>(i));
    const double stored = std::clamp(std::nearbyint(x / scale), low, high) * scale;
    error += static_cast<double>(counts[i]) * (x - stored) * (x - stored);
  }
  return error;
}

// The divergence of the stored distribution from the clipped one.
double Divergence(const Histogram& histogram, const QuantParams& params) {
  const auto& counts = histogram.counts();
  std::vector<double> level_mass(256, 0), level_bins(256, 0);
  std::vector<int> level_of(counts.size(), -1);
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double x = histogram.Center(static_cast<int>(i));
    const int level = static_cast<int>(std::clamp(std::nearbyint(x / params.scale) + params.zero_point, 0.0, 255.0));
    const double unclipped = std::nearbyint(x / params.scale) + params.zero_point;
    if (unclipped >= 0 && unclipped <= 255) {
      level_mass[level] += static_cast<double>(counts[i]);
      ++level_bins[level];
    }
    level_of[i] = level;
  }
  const auto total = static_cast<double>(histogram.total());
  double divergence = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const int level = level_of[i];
    const double p = static_cast<double>(counts[i]) / total;
    const double q = level_bins[level] > 0 ? level_mass[level] / level_bins[level] / total : 0;
    divergence += p * std::log(p / std::max(q, 1e-9));
  }
  return divergence;
}

template <typename Cost>
RangeCandidate Best(const char* name, const Histogram& histogram, Cost&& cost) {
  const float low = std::min(histogram.min(), 0.0f), high = std::max(histogram.max(), 0.0f);
  RangeCandidate best{name, low, high};
  double least = cost(histogram, ParamsForRange(low, high));
  // Both ends shrink alike first, then each on its own.
  for (int side = 0; side < 3; ++side) {
    const RangeCandidate from = best;
    for (int step = 1; step < kSteps; ++step) {
      const auto factor = static_cast<float>(1 - (1 - kNarrowest) * step / kSteps);
      const RangeCandidate tried{name, side == 2 ? from.low : from.low * factor,
                                 side == 1 ? from.high : from.high * factor};
      const double now = cost(histogram, ParamsForRange(tried.low, tried.high));
      if (now < least) {
        least = now;
        best = tried;
      }
    }
  }
  return best;
}

}  // namespace

std::vector<RangeCandidate> RangeCandidates(const Histogram& histogram) {
  std::vector<RangeCandidate> candidates = {{"min-max", histogram.min(), histogram.max()}};
  if (histogram.empty() || !(histogram.max() > histogram.min())) return candidates;
  struct Percentile {
    const char* name;
    double tail;
  };
  for (const auto& [name, tail] : {Percentile{"99.999 %", 1e-5}, {"99.99 %", 1e-4}, {"99.9 %", 1e-3}}) {
    candidates.push_back(
        {name, static_cast<float>(histogram.Quantile(tail)), static_cast<float>(histogram.Quantile(1 - tail))});
  }
  candidates.push_back(Best("least square error", histogram, SquaredError));
  candidates.push_back(Best("entropy", histogram, Divergence));
  return candidates;
}

}  // namespace tandem::engine
