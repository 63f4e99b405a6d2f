#include "engine/quantize/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem::engine {

namespace {

constexpr int kBins = 2 * Histogram::kBinsPerSide;
// Widths are powers of two, so that every order of growing ends with the same bins.
constexpr double kLeastWidth = 0x1p-100;

}  // namespace

void Histogram::GrowTo(double magnitude) {
  if (counts_.empty()) {
    counts_.assign(kBins, 0);
    width_ = kLeastWidth;
  }
  int doublings = 0;
  double width = width_;
  while (magnitude >= width * kBinsPerSide) {
    width *= 2;
    ++doublings;
  }
  if (doublings == 0) return;
  if (total_ > 0) {
    std::vector<int64_t> merged(kBins, 0);
    for (int i = 0; i < kBins; ++i) {
      // Arithmetic shift rounds down, so bins merge away from zero on both sides.
      const int64_t from_zero = i - kBinsPerSide;
      merged[kBinsPerSide + (from_zero >> std::min(doublings, 40))] += counts_[i];
    }
    counts_ = std::move(merged);
  }
  width_ = width;
}

void Histogram::Add(absl::Span<const float> values) {
  if (values.empty()) return;
  float low = values[0], high = values[0];
  for (float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  min_ = total_ == 0 ? low : std::min(min_, low);
  max_ = total_ == 0 ? high : std::max(max_, high);
  GrowTo(std::max(std::abs(static_cast<double>(low)), std::abs(static_cast<double>(high))));
  const auto inverse = static_cast<float>(1 / width_);  // a power of two: products are exact
  int64_t* const counts = counts_.data();
  for (float value : values) {
    const float scaled = value * inverse;
    const auto towards_zero = static_cast<int>(scaled);
    const int down = towards_zero - (scaled < static_cast<float>(towards_zero) ? 1 : 0);
    ++counts[down + kBinsPerSide];
  }
  total_ += static_cast<int64_t>(values.size());
}

void Histogram::Merge(const Histogram& other) {
  if (other.empty()) return;
  Histogram grown = other;
  const double reach = std::max(width_, other.width_) * kBinsPerSide * 0.75;
  GrowTo(reach);
  grown.GrowTo(reach);
  for (int i = 0; i < kBins; ++i) counts_[i] += grown.counts_[i];
  min_ = total_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = total_ == 0 ? other.max_ : std::max(max_, other.max_);
  total_ += other.total_;
}

double Histogram::Quantile(double fraction) const {
  const double wanted = fraction * static_cast<double>(total_);
  double below = 0;
  for (int i = 0; i < kBins; ++i) {
    const auto count = static_cast<double>(counts_[i]);
    if (count > 0 && below + count > wanted) {
      const double at = (i - kBinsPerSide + (wanted - below) / count) * width_;
      return std::clamp(at, static_cast<double>(min_), static_cast<double>(max_));
    }
    below += count;
  }
  return max_;
}

}  // namespace tandem::engine
