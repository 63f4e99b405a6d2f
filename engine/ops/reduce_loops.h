// The loop nest of reductions over any set of axes.
//
// Neighbouring axes that are both kept or both reduced are merged; what remains innermost is a row of the input that
// lies dense in memory. Either the whole row folds into one element of the output, or it is added to a row of it.
#ifndef TANDEM_ENGINE_OPS_REDUCE_LOOPS_H_
#define TANDEM_ENGINE_OPS_REDUCE_LOOPS_H_

#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "engine/tensor.h"

namespace tandem::engine {

class ReduceLoops {
 public:
  // `reduced` has one flag an axis of `shape`.
  ReduceLoops(const Shape& shape, const std::vector<bool>& reduced);

  int64_t row() const { return row_; }
  // Whether a row folds into one element of the output.
  bool folds_rows() const { return folds_rows_; }
  // Elements that meet in each element of the output.
  int64_t count() const { return count_; }

  // Calls `f(offset in the input, offset in the output)` for every row, in the input's order.
  template <typename F>
  void ForEachRow(F&& f) const {
    int64_t rows = row_ == 0 ? 0 : 1;
    for (const Dim& dim : outer_) rows *= dim.size;
    absl::InlinedVector<int64_t, 6> index(outer_.size(), 0);
    int64_t out = 0;
    for (int64_t r = 0; r < rows; ++r) {
      f(r * row_, out);
      for (size_t d = outer_.size(); d-- > 0;) {
        out += outer_[d].out_stride;
        if (++index[d] < outer_[d].size) break;
        out -= outer_[d].out_stride * outer_[d].size;
        index[d] = 0;
      }
    }
  }

 private:
  struct Dim {
    int64_t size;
    bool reduced;
    int64_t out_stride;
  };
  absl::InlinedVector<Dim, 6> outer_;  // outermost first
  int64_t row_ = 1;
  bool folds_rows_ = true;
  int64_t count_ = 1;
};

inline ReduceLoops::ReduceLoops(const Shape& shape, const std::vector<bool>& reduced) {
  int64_t kept = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {  // collects the innermost first
    (reduced[axis] ? count_ : kept) *= shape[axis];
    if (shape[axis] == 1) continue;
    if (!outer_.empty() && outer_.back().reduced == reduced[axis])
      outer_.back().size *= shape[axis];
    else
      outer_.push_back({shape[axis], reduced[axis], reduced[axis] ? 0 : kept / std::max<int64_t>(shape[axis], 1)});
  }
  if (outer_.empty()) return;
  row_ = outer_.front().size;
  folds_rows_ = outer_.front().reduced;
  outer_.erase(outer_.begin());
  std::reverse(outer_.begin(), outer_.end());
}

namespace internal {

template <typename T, typename Map, typename Join>
T FoldChunk(const T* x, int64_t count, T init, const Map& map, const Join& join) {
  constexpr int64_t kLanes = 16;
  T lanes[kLanes];
  std::fill(lanes, lanes + kLanes, init);
  const int64_t rest = count % kLanes;
  for (int64_t i = 0; i < count - rest; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = join(lanes[lane], map(x[i + lane]));
  }
  T total = init;
  for (int64_t i = 0; i < rest; ++i) total = join(total, map(x[count - rest + i]));
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t lane = 0; lane < width; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + width]);
  }
  return join(total, lanes[0]);
}

}  // namespace internal

// The fold of `count` elements by `join(accumulated, map(x))` from `init`, in independent lanes that compilers make
// vectors of, and in chunks, so that long sums lose less than one by one. `join` also joins lanes and chunks: it must
// be associative, with `init` neutral.
template <typename T, typename Map, typename Join>
T FoldRow(const T* x, int64_t count, T init, const Map& map, const Join& join) {
  constexpr int64_t kChunk = 4096;
  T total = init;
  for (; count > kChunk; x += kChunk, count -= kChunk) {
    total = join(total, internal::FoldChunk(x, kChunk, init, map, join));
  }
  return join(total, internal::FoldChunk(x, count, init, map, join));
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_REDUCE_LOOPS_H_
