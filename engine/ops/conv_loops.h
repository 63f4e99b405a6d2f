// The loops of direct convolution over three spatial axes.
#ifndef TANDEM_ENGINE_OPS_CONV_LOOPS_H_
#define TANDEM_ENGINE_OPS_CONV_LOOPS_H_

#include <cstdint>

#include "engine/ops/conv_geometry.h"

namespace tandem::engine {

// Calls `f(input row, tap, output row, axis 2's outputs of the tap)` for every pair of rows that meet in a tap. Rows
// and taps are numbered as in dense [.., .., ..] arrays of three axes.
template <typename F>
void ForEachTapRow(const Window& window, F&& f) {
  const WindowAxis& d = window[0];
  const WindowAxis& h = window[1];
  const WindowAxis& w = window[2];
  for (int64_t kd = 0; kd < d.kernel; ++kd) {
    const IndexRange planes = d.OutputsOfTap(kd);
    for (int64_t kh = 0; kh < h.kernel; ++kh) {
      const IndexRange rows = h.OutputsOfTap(kh);
      for (int64_t kw = 0; kw < w.kernel; ++kw) {
        const IndexRange columns = w.OutputsOfTap(kw);
        const int64_t tap = (kd * h.kernel + kh) * w.kernel + kw;
        const int64_t first = w.InputOf(columns.begin, kw);
        for (int64_t od = planes.begin; od < planes.end; ++od) {
          for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
            const int64_t input = (d.InputOf(od, kd) * h.input + h.InputOf(oh, kh)) * w.input + first;
            const int64_t output = (od * h.output + oh) * w.output + columns.begin;
            f(input, tap, output, columns.end - columns.begin);
          }
        }
      }
    }
  }
}

// y (an output plane) += x (an input plane) correlated with the taps.
template <typename T>
void Correlate(const Window& window, const T* x, const T* taps, T* y) {
  const int64_t stride = window[2].stride;
  ForEachTapRow(window, [&](int64_t input, int64_t tap, int64_t output, int64_t count) {
    const T weight = taps[tap];
    const T* source = x + input;
    T* target = y + output;
    if (stride == 1) {
      for (int64_t i = 0; i < count; ++i) target[i] += weight * source[i];
    } else {
      for (int64_t i = 0; i < count; ++i) target[i] += weight * source[i * stride];
    }
  });
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_CONV_LOOPS_H_
