#include "engine/quantize/answer_noise.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tandem::engine {

namespace {

constexpr size_t kBest = 8;             // classes that an answer may change to
constexpr size_t kMostQuantiles = 256;  // of each distribution
constexpr double kLeastLikelihood = 1e-6;

bool AreLikelihoods(absl::Span<const float> row) {
  return std::all_of(row.begin(), row.end(), [](float x) { return x >= 0 && x <= 1; });
}

// Likelihoods are compared by their logarithms, which are what the layer before a softmax gives but for a constant.
double Score(float x, bool likelihood) {
  return likelihood ? std::log(std::max<double>(x, kLeastLikelihood)) : static_cast<double>(x);
}

// `values` in order, or as many of them as suffice, evenly spaced.
std::vector<double> Quantiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  if (values.size() <= kMostQuantiles) return values;
  std::vector<double> quantiles;
  for (size_t i = 0; i < kMostQuantiles; ++i)
    quantiles.push_back(values[(2 * i + 1) * values.size() / (2 * kMostQuantiles)]);
  return quantiles;
}

}  // namespace

void AnswerNoise::Add(const Tensor& exact, const Tensor& noisy) {
  const auto before = exact.values<float>(), after = noisy.values<float>();
  const auto width = static_cast<size_t>(exact.dim(-1));
  const size_t best = std::min(kBest, width);
  if (best < 2) return;
  std::vector<size_t> order(width);
  for (size_t at = 0; at < before.size(); at += width) {
    const auto row = before.subspan(at, width), other = after.subspan(at, width);
    const bool likelihoods = AreLikelihoods(row);
    std::iota(order.begin(), order.end(), size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best), order.end(),
                      [&](size_t a, size_t b) { return row[a] > row[b]; });
    double sum = 0, squares = 0;
    for (size_t i = 0; i < best; ++i) {
      const double error = Score(other[order[i]], likelihoods) - Score(row[order[i]], likelihoods);
      sum += error;
      squares += error * error;
    }
    const auto count = static_cast<double>(best);
    margins_.push_back(Score(row[order[0]], likelihoods) - Score(row[order[1]], likelihoods));
    deviations_.push_back(std::sqrt(std::max(squares - sum * sum / count, 0.0) / (count - 1)));
  }
}

double AnswerNoise::ExpectedChanges() const {
  const std::vector<double> margins = Quantiles(margins_), deviations = Quantiles(deviations_);
  double changes = 0;
  for (double deviation : deviations) {
    if (!(deviation > 0)) continue;
    // The difference of two errors deviates by the square root of 2 as much.
    for (double margin : margins) changes += std::erfc(margin / (2 * deviation)) / 2;
  }
  const auto pairs = static_cast<double>(margins.size() * deviations.size());
  return pairs > 0 ? changes / pairs : 0;
}

double AnswerNoise::Power() const {
  if (deviations_.empty()) return 0;
  const double mean =
      std::accumulate(deviations_.begin(), deviations_.end(), 0.0) / static_cast<double>(deviations_.size());
  return mean * mean;
}

}  // namespace tandem::engine
