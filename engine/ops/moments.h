// Mean and variance of dense rows, which every normalization needs.
#ifndef TANDEM_ENGINE_OPS_MOMENTS_H_
#define TANDEM_ENGINE_OPS_MOMENTS_H_

#include <cstdint>

#include "engine/ops/reduce_loops.h"

namespace tandem::engine {

template <typename T>
struct Moments {
  T mean;
  T variance;  // of the population: divided by the count
};

// In two passes, as the one that subtracts the squared mean cancels. `count` must be positive.
template <typename T>
Moments<T> MomentsOf(const T* x, int64_t count) {
  const auto plus = [](T a, T b) { return a + b; };
  const T mean = FoldRow(
                     x, count, T{0}, [](T a) { return a; }, plus) /
                 static_cast<T>(count);
  const auto squared_distance = [mean](T a) { return (a - mean) * (a - mean); };
  return {mean, FoldRow(x, count, T{0}, squared_distance, plus) / static_cast<T>(count)};
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_MOMENTS_H_
