#include "engine/ops/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "engine/check.h"
#include "engine/ops/dims.h"

namespace tandem::engine {

namespace {

struct Axis {
  int64_t length;
  int64_t source;  // strides in elements
  int64_t target;
};
using Axes = absl::InlinedVector<Axis, 8>;

// A square of this many elements a side fits the first-level cache twice, whatever the element size.
constexpr int64_t kBlock = 32;

// The axes of the copy without those of length one, neighbours merged where both sides allow it.
Axes Merge(absl::Span<const int64_t> source_strides, absl::Span<const int64_t> target_strides,
           absl::Span<const int64_t> shape) {
  Axes axes;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    const Axis axis = {shape[i], source_strides[i], target_strides[i]};
    if (!axes.empty() && axes.back().source == axis.source * axis.length &&
        axes.back().target == axis.target * axis.length) {
      axes.back() = {axes.back().length * axis.length, axis.source, axis.target};
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

template <typename T>
void CopyRow(const T* source, T* target, const Axis& row) {
  if (row.source == 1 && row.target == 1) {
    // Calling memcpy for a handful of bytes costs more than moving them.
    if (row.length * sizeof(T) >= 64) {
      std::memcpy(target, source, row.length * sizeof(T));
    } else {
      for (int64_t i = 0; i < row.length; ++i) target[i] = source[i];
    }
  } else if (row.target == 1 && row.source == 0) {
    std::fill_n(target, row.length, *source);
  } else if (row.target == 1) {
    for (int64_t i = 0; i < row.length; ++i) target[i] = source[i * row.source];
  } else {
    for (int64_t i = 0; i < row.length; ++i) target[i * row.target] = source[i * row.source];
  }
}

// The source is contiguous along `column`, the target along `row`.
template <typename T>
void TransposeBlocks(const T* source, T* target, const Axis& column, const Axis& row) {
  for (int64_t c0 = 0; c0 < column.length; c0 += kBlock) {
    const int64_t c1 = std::min(c0 + kBlock, column.length);
    for (int64_t r0 = 0; r0 < row.length; r0 += kBlock) {
      const int64_t r1 = std::min(r0 + kBlock, row.length);
      for (int64_t c = c0; c < c1; ++c) {
        const T* from = source + c;
        T* to = target + c * column.target;
        for (int64_t r = r0; r < r1; ++r) to[r] = from[r * row.source];
      }
    }
  }
}

template <typename T>
void CopyPlane(const T* source, T* target, const Axis& column, const Axis& row) {
  if (column.source == 1 && row.target == 1 && row.source != 0) {
    TransposeBlocks(source, target, column, row);
    return;
  }
  for (int64_t c = 0; c < column.length; ++c) {
    CopyRow(source + c * column.source, target + c * column.target, row);
  }
}

template <typename T>
void Copy(const T* source, T* target, absl::Span<const Axis> axes) {
  const size_t outer = axes.size() - 2;
  absl::InlinedVector<int64_t, 8> index(outer, 0);
  while (true) {
    CopyPlane(source, target, axes[outer], axes[outer + 1]);
    size_t i = outer;
    for (; i > 0; --i) {
      const Axis& axis = axes[i - 1];
      source += axis.source;
      target += axis.target;
      if (++index[i - 1] < axis.length) break;
      index[i - 1] = 0;
      source -= axis.source * axis.length;
      target -= axis.target * axis.length;
    }
    if (i == 0) return;
  }
}

// Copies the rows below `axis`. Rows that repeat their neighbour's index, as upsampling makes them, are copied from
// what was just written.
template <typename T>
T* Gather(const T* source, absl::Span<const int64_t> strides, absl::Span<const std::vector<int64_t>> indices,
          size_t axis, T* target) {
  const std::vector<int64_t>& list = indices[axis];
  if (axis + 1 == indices.size()) {
    for (size_t i = 0; i < list.size(); ++i) target[i] = source[list[i] * strides[axis]];
    return target + list.size();
  }
  const T* previous = nullptr;
  for (size_t i = 0; i < list.size(); ++i) {
    T* const begin = target;
    if (i > 0 && list[i] == list[i - 1]) {
      target = std::copy(previous, static_cast<const T*>(begin), begin);
    } else {
      target = Gather(source + list[i] * strides[axis], strides, indices, axis + 1, target);
    }
    previous = begin;
  }
  return target;
}

}  // namespace

void CopyGathered(const void* source, absl::Span<const int64_t> source_strides,
                  absl::Span<const std::vector<int64_t>> indices, void* target, size_t element_size) {
  const absl::Status status = DispatchSize(element_size, [&](auto t) {
    using T = decltype(t);
    Gather(static_cast<const T*>(source), source_strides, indices, 0, static_cast<T*>(target));
    return absl::OkStatus();
  });
  TANDEM_CHECK(status.ok(), status.message());
}

void CopyStrided(const void* source, absl::Span<const int64_t> source_strides, void* target,
                 absl::Span<const int64_t> target_strides, absl::Span<const int64_t> shape, size_t element_size) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  Axes axes = Merge(source_strides, target_strides, shape);
  while (axes.size() < 2) axes.insert(axes.begin(), {1, 0, 0});
  // The inner plane is the target's contiguous axis with the source's, when those differ.
  if (axes.back().source != 1) {
    const auto contiguous = std::find_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.source == 1; });
    if (contiguous != axes.end()) std::rotate(contiguous, contiguous + 1, axes.end() - 1);
  }
  const absl::Status status = DispatchSize(element_size, [&](auto t) {
    using T = decltype(t);
    Copy(static_cast<const T*>(source), static_cast<T*>(target), axes);
    return absl::OkStatus();
  });
  TANDEM_CHECK(status.ok(), status.message());
}

}  // namespace tandem::engine
