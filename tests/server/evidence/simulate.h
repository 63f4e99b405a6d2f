// Random losses of a known mean, the same in every run.
#ifndef TANDEM_TESTS_SERVER_EVIDENCE_SIMULATE_H_
#define TANDEM_TESTS_SERVER_EVIDENCE_SIMULATE_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace tandem::evidence {

class Losses {
 public:
  explicit Losses(uint64_t seed) : random_(seed) {}

  // 1 with this probability, else 0: an answer that changed.
  double Changed(double probability) { return Draw() < probability ? 1 : 0; }
  // 1 where a right answer became wrong, -1 where a wrong one became right: a share of `each_way`, and `loss` on
  // average.
  double Paired(double loss, double each_way) {
    const double worse = each_way + std::max(loss, 0.0), better = each_way + std::max(-loss, 0.0);
    const double drawn = Draw();
    if (drawn < worse) return 1;
    return drawn < worse + better ? -1 : 0;
  }

 private:
  double Draw() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  std::mt19937_64 random_;
};

// The value below which a share of `values` lies.
inline double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace tandem::evidence

#endif  // TANDEM_TESTS_SERVER_EVIDENCE_SIMULATE_H_
