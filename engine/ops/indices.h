// Index tensors, as gathering and scattering operators take them: checked, made non-negative, turned into offsets.
#ifndef TANDEM_ENGINE_OPS_INDICES_H_
#define TANDEM_ENGINE_OPS_INDICES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/ops/dims.h"
#include "engine/tensor.h"

namespace tandem::engine {

// INVALID_ARGUMENT unless `type` is int32 or int64.
absl::Status CheckIndexType(DataType type);

// The elements of `indices`, each in [-length, length), made non-negative; an error naming one that is outside.
absl::StatusOr<std::vector<int64_t>> IndicesWithin(const Tensor& indices, int64_t length);

// For every tuple in the last axis of `indices` (as long as `shape`): how many blocks, each as large as what follows
// the indexed axes, lie before the one it names.
absl::StatusOr<std::vector<int64_t>> TupleOffsets(const Tensor& indices, absl::Span<const int64_t> shape);

// Whether `indices` of GatherElements and ScatterElements fit `data`: one rank, and no longer but along `axis`.
absl::Status CheckElementwiseIndices(absl::Span<const int64_t> data, absl::Span<const int64_t> indices, int64_t axis);

// Calls `f(at, offset)` for every position `at` of a tensor of shape `shape`, where `offset` is the position in a
// tensor of shape `data` that has the same coordinates but `indices[at]` on `axis`.
template <typename F>
void ForEachElement(absl::Span<const int64_t> data, absl::Span<const int64_t> shape, int64_t axis,
                    absl::Span<const int64_t> indices, F&& f) {
  if (indices.empty()) return;
  const Shape strides = RowMajorStrides(data);
  const int64_t last = static_cast<int64_t>(shape.size()) - 1;
  const int64_t step = axis == last ? 0 : 1;
  Shape index(shape.size(), 0);
  int64_t at = 0;
  while (true) {
    int64_t base = 0;
    for (int64_t i = 0; i < last; ++i) base += i == axis ? 0 : index[i] * strides[i];
    for (int64_t i = 0; i < shape[last]; ++i, ++at) f(at, base + i * step + indices[at] * strides[axis]);
    int64_t i = last - 1;
    for (; i >= 0; --i) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
    if (i < 0) return;
  }
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_INDICES_H_
