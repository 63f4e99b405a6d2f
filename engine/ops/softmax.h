// Softmax over one axis, for the operators that are it or contain it. Both shift by the maximum: nothing overflows.
#ifndef TANDEM_ENGINE_OPS_SOFTMAX_H_
#define TANDEM_ENGINE_OPS_SOFTMAX_H_

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/dims.h"
#include "engine/ops/reduce_loops.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

namespace internal {

template <typename T>
T MaxOfRow(const T* x, int64_t count) {
  return FoldRow(
      x, count, -std::numeric_limits<T>::infinity(), [](T a) { return a; }, [](T a, T b) { return b > a ? b : a; });
}

template <typename T>
T SumOfRow(const T* x, int64_t count) {
  return FoldRow(
      x, count, T{0}, [](T a) { return a; }, [](T a, T b) { return a + b; });
}

// y = e^(x - shift), whose sum is returned.
template <typename T>
T ExpRow(const T* x, T shift, int64_t count, T* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = VectorExp(x[i] - shift);
  return SumOfRow(y, count);
}

// The two passes along an axis whose elements lie `inner` apart: maxima of each column, then sums of exponentials.
template <typename T>
struct ColumnSums {
  explicit ColumnSums(int64_t inner) : max(inner), sum(inner), exps(inner) {}
  void Compute(const T* x, const AxisView& view) {
    std::copy(x, x + view.inner, max.begin());
    for (int64_t k = 1; k < view.length; ++k) {
      const T* row = x + k * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) max[i] = row[i] > max[i] ? row[i] : max[i];
    }
    std::fill(sum.begin(), sum.end(), T{0});
    for (int64_t k = 0; k < view.length; ++k) {
      const T* row = x + k * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) exps[i] = row[i] - max[i];
      ExpRow(exps.data(), T{0}, view.inner, exps.data());
      for (int64_t i = 0; i < view.inner; ++i) sum[i] += exps[i];
    }
  }
  std::vector<T> max;
  std::vector<T> sum;
  std::vector<T> exps;  // scratch
};

}  // namespace internal

// y = softmax(x) over the axis that `view` is around. x has elements; y may be x.
template <typename T>
void SoftmaxOf(const T* x, T* y, const AxisView& view) {
  if (view.inner == 1) {
    for (int64_t outer = 0; outer < view.outer; ++outer, x += view.length, y += view.length) {
      const T sum = internal::ExpRow(x, internal::MaxOfRow(x, view.length), view.length, y);
      const T scale = T{1} / sum;
      for (int64_t i = 0; i < view.length; ++i) y[i] *= scale;
    }
    return;
  }
  internal::ColumnSums<T> columns(view.inner);
  const int64_t block = view.length * view.inner;
  for (int64_t outer = 0; outer < view.outer; ++outer, x += block, y += block) {
    columns.Compute(x, view);
    for (T& sum : columns.sum) sum = T{1} / sum;
    for (int64_t k = 0; k < view.length; ++k) {
      T* row = y + k * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) row[i] = x[k * view.inner + i] - columns.max[i];
      internal::ExpRow(row, T{0}, view.inner, row);
      for (int64_t i = 0; i < view.inner; ++i) row[i] *= columns.sum[i];
    }
  }
}

// y = log(softmax(x)) over the axis that `view` is around. x has elements; y may be x.
template <typename T>
void LogSoftmaxOf(const T* x, T* y, const AxisView& view) {
  if (view.inner == 1) {
    std::vector<T> exps(view.length);
    for (int64_t outer = 0; outer < view.outer; ++outer, x += view.length, y += view.length) {
      const T max = internal::MaxOfRow(x, view.length);
      const T log_sum = std::log(internal::ExpRow(x, max, view.length, exps.data()));
      for (int64_t i = 0; i < view.length; ++i) y[i] = (x[i] - max) - log_sum;
    }
    return;
  }
  internal::ColumnSums<T> columns(view.inner);
  const int64_t block = view.length * view.inner;
  for (int64_t outer = 0; outer < view.outer; ++outer, x += block, y += block) {
    columns.Compute(x, view);
    for (T& sum : columns.sum) sum = std::log(sum);
    for (int64_t k = 0; k < view.length; ++k) {
      const int64_t at = k * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) y[at + i] = (x[at + i] - columns.max[i]) - columns.sum[i];
    }
  }
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_SOFTMAX_H_
