// The range of real numbers; only for this folder's sources, and to be called as vectorized.h says.
#ifndef TANDEM_ENGINE_KERNELS_RANGE_H_
#define TANDEM_ENGINE_KERNELS_RANGE_H_

#include <cstddef>

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

struct Range {
  float low;
  float high;
};

// Of the `count` elements of `x` and zero; NaNs are left out.
TANDEM_VECTORIZED inline Range RangeOf(size_t count, const float* x) {
  constexpr size_t kLanes = 32;  // apart, as the order of comparisons is nothing a compiler may change
  float low[kLanes], high[kLanes];
  for (size_t k = 0; k < kLanes; ++k) low[k] = high[k] = 0;
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
    for (size_t k = 0; k < kLanes; ++k) high[k] = x[i + k] > high[k] ? x[i + k] : high[k];
  }
  for (; i < count; ++i) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  Range range = {low[0], high[0]};
  for (size_t k = 1; k < kLanes; ++k) {
    range.low = low[k] < range.low ? low[k] : range.low;
    range.high = high[k] > range.high ? high[k] : range.high;
  }
  return range;
}

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_RANGE_H_
