#include "engine/quantize/samples.h"

#include <algorithm>
#include <numeric>

namespace tandem::engine {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers with every compiler.
uint64_t Next(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Split SplitSamples(int64_t count, uint64_t seed, int64_t most_calibration, int64_t most_judging) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (count <= 1) return {order, order};
  for (int64_t i = count - 1; i > 0; --i) {
    std::swap(order[i], order[Next(seed) % static_cast<uint64_t>(i + 1)]);
  }
  const int64_t calibrating = std::min(most_calibration, count / 2);
  const int64_t judging = std::min(most_judging, count - calibrating);
  Split split;
  split.calibration.assign(order.begin(), order.begin() + calibrating);
  split.judging.assign(order.begin() + calibrating, order.begin() + calibrating + judging);
  std::sort(split.calibration.begin(), split.calibration.end());
  std::sort(split.judging.begin(), split.judging.end());
  return split;
}

std::vector<int64_t> Spread(const std::vector<int64_t>& from, int64_t count) {
  const int64_t have = static_cast<int64_t>(from.size());
  count = std::min(count, have);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back(from[i * have / count]);
  return chosen;
}

}  // namespace tandem::engine
