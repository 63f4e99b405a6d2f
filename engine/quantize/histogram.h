// Histogram: how numbers are distributed, in bounded memory and without knowing their range beforehand.
//
// Bins of equal width lie symmetrically about zero; when a number falls outside, widths double and bins merge in
// pairs. So the counts do not depend on the order in which numbers come.
#ifndef TANDEM_ENGINE_QUANTIZE_HISTOGRAM_H_
#define TANDEM_ENGINE_QUANTIZE_HISTOGRAM_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace tandem::engine {

class Histogram {
 public:
  static constexpr int kBinsPerSide = 4096;

  // Numbers must be finite.
  void Add(absl::Span<const float> values);
  void Merge(const Histogram& other);

  bool empty() const { return total_ == 0; }
  int64_t total() const { return total_; }
  // Of all numbers so far; exact. 0 when empty.
  float min() const { return min_; }
  float max() const { return max_; }

  // Bins from -kBinsPerSide * width() on.
  const std::vector<int64_t>& counts() const { return counts_; }
  double width() const { return width_; }
  // The middle of bin `i`.
  double Center(int i) const { return (i - kBinsPerSide + 0.5) * width_; }

  // The least number that at most a `fraction` of all lie below, to within a bin.
  double Quantile(double fraction) const;

 private:
  // Until bins reach `magnitude`.
  void GrowTo(double magnitude);

  std::vector<int64_t> counts_;
  double width_ = 0;
  int64_t total_ = 0;
  float min_ = 0;
  float max_ = 0;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_HISTOGRAM_H_
