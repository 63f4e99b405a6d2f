#include "server/evidence/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tandem::evidence {
namespace {

using engine::DataType;
using engine::Tensor;

// An output that is neither scores nor whole numbers counts as changed from this share of noise on: 20 dB.
constexpr double kChangedNoise = 0.01;

std::vector<double> ToReals(const Tensor& tensor) {
  const auto n = static_cast<size_t>(tensor.num_elements());
  std::vector<double> reals(n);
  switch (tensor.type()) {
    case DataType::kFloat32:
      std::copy_n(static_cast<const float*>(tensor.data()), n, reals.begin());
      break;
    case DataType::kFloat64:
      std::copy_n(static_cast<const double*>(tensor.data()), n, reals.begin());
      break;
    case DataType::kFloat16:
      std::transform(static_cast<const uint16_t*>(tensor.data()), static_cast<const uint16_t*>(tensor.data()) + n,
                     reals.begin(), engine::HalfToFloat);
      break;
    default:
      std::transform(static_cast<const uint16_t*>(tensor.data()), static_cast<const uint16_t*>(tensor.data()) + n,
                     reals.begin(), engine::BFloat16ToFloat);
  }
  return reals;
}

bool HasScores(const Tensor& tensor) { return tensor.rank() >= 2 && tensor.dim(-1) >= 2; }

std::vector<int64_t> TopColumnsOf(const std::vector<double>& reals, int64_t width) {
  std::vector<int64_t> columns;
  for (size_t at = 0; at < reals.size(); at += static_cast<size_t>(width)) {
    int64_t top = -1;
    for (int64_t i = 0; i < width; ++i) {
      const double value = reals[at + static_cast<size_t>(i)];
      if (!std::isnan(value) && (top < 0 || value > reals[at + static_cast<size_t>(top)])) top = i;
    }
    columns.push_back(top);
  }
  return columns;
}

bool SameWithoutNumber(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

// Noise and cosine of two lists of equal length.
void Measure(const std::vector<double>& a, const std::vector<double>& b, OutputDifference& difference) {
  double noise = 0, power = 0, other_power = 0, product = 0;
  bool broken = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
      broken = broken || !SameWithoutNumber(a[i], b[i]);
      continue;
    }
    noise += (a[i] - b[i]) * (a[i] - b[i]);
    power += a[i] * a[i];
    other_power += b[i] * b[i];
    product += a[i] * b[i];
  }
  if (noise == 0 && !broken) return;
  difference.noise = broken || power == 0 ? 1 : std::min(1.0, noise / power);
  const double lengths = std::sqrt(power) * std::sqrt(other_power);
  difference.cosine = broken || lengths == 0 ? 0 : product / lengths;
}

OutputDifference CompareReals(const Tensor& baseline, const Tensor& candidate) {
  OutputDifference difference{.real = true};
  const std::vector<double> a = ToReals(baseline), b = ToReals(candidate);
  Measure(a, b, difference);
  if (!HasScores(baseline)) {
    difference.rows = 1;
    difference.changed = difference.noise > kChangedNoise ? 1 : 0;
    return difference;
  }
  const std::vector<int64_t> before = TopColumnsOf(a, baseline.dim(-1)), after = TopColumnsOf(b, baseline.dim(-1));
  difference.rows = static_cast<int64_t>(before.size());
  for (size_t i = 0; i < before.size(); ++i) difference.changed += before[i] != after[i] ? 1 : 0;
  return difference;
}

OutputDifference CompareWhole(const Tensor& baseline, const Tensor& candidate) {
  OutputDifference difference{.rows = baseline.num_elements()};
  const size_t size = engine::SizeOf(baseline.type());
  const char* a = static_cast<const char*>(baseline.data());
  const char* b = static_cast<const char*>(candidate.data());
  for (size_t at = 0; at < baseline.num_bytes(); at += size) {
    difference.changed += std::memcmp(a + at, b + at, size) != 0 ? 1 : 0;
  }
  if (difference.rows > 0) {
    difference.noise = static_cast<double>(difference.changed) / static_cast<double>(difference.rows);
  }
  return difference;
}

// Vectors of unit length with negative elements: their largest element says nothing.
bool LooksLikeEmbedding(const Tensor& tensor) {
  const std::vector<double> reals = ToReals(tensor);
  if (std::none_of(reals.begin(), reals.end(), [](double real) { return real < 0; })) return false;
  const auto width = static_cast<size_t>(tensor.dim(-1));
  for (size_t at = 0; at < reals.size(); at += width) {
    double square = 0;
    for (size_t i = 0; i < width; ++i) square += reals[at + i] * reals[at + i];
    if (std::abs(std::sqrt(square) - 1) > 1e-3) return false;
  }
  return true;
}

}  // namespace

OutputDifference Compare(const Tensor& baseline, const Tensor& candidate) {
  const bool real = engine::IsFloat(baseline.type());
  if (baseline.type() != candidate.type() || baseline.shape() != candidate.shape()) {
    const int64_t rows = real && HasScores(baseline) ? baseline.num_elements() / baseline.dim(-1) : 1;
    return {.real = real,
            .rows = std::max<int64_t>(rows, 1),
            .changed = std::max<int64_t>(rows, 1),
            .noise = 1,
            .cosine = 0};
  }
  return real ? CompareReals(baseline, candidate) : CompareWhole(baseline, candidate);
}

std::vector<int64_t> TopColumns(const Tensor& tensor) {
  if (!engine::IsFloat(tensor.type()) || !HasScores(tensor)) return {};
  return TopColumnsOf(ToReals(tensor), tensor.dim(-1));
}

std::optional<int64_t> AnswerOf(absl::Span<const Tensor> outputs) {
  for (const Tensor& output : outputs) {
    const std::vector<int64_t> tops = TopColumns(output);
    if (tops.size() == 1 && tops[0] >= 0) return tops[0];
    if (output.num_elements() != 1) continue;
    if (output.type() == DataType::kInt64) return output.values<int64_t>()[0];
    if (output.type() == DataType::kInt32) return output.values<int32_t>()[0];
  }
  return std::nullopt;
}

Metric MetricFor(absl::Span<const Tensor> outputs) {
  for (const Tensor& output : outputs) {
    if (!engine::IsFloat(output.type())) continue;
    // More than three dimensions are maps, boxes, waves: no scores of classes to be counted one by one.
    if (!HasScores(output) || output.rank() > 3 || LooksLikeEmbedding(output)) return Metric::kNoise;
  }
  return Metric::kAgreement;
}

Comparison CompareOutputs(absl::Span<const Tensor> baseline, absl::Span<const Tensor> candidate) {
  Comparison comparison{.metric = MetricFor(baseline)};
  for (size_t i = 0; i < baseline.size(); ++i) comparison.outputs.push_back(Compare(baseline[i], candidate[i]));
  return comparison;
}

double LossOf(const Comparison& comparison, Metric metric) {
  double worst = 0, noise = 0;
  for (const OutputDifference& output : comparison.outputs) {
    if (output.rows > 0) {
      worst = std::max(worst, static_cast<double>(output.changed) / static_cast<double>(output.rows));
    }
    noise += output.noise;
  }
  if (metric == Metric::kAgreement) return worst;
  return comparison.outputs.empty() ? 0 : noise / static_cast<double>(comparison.outputs.size());
}

}  // namespace tandem::evidence
