// Copies between strided views of memory: what transposing, slicing, expanding, tiling and padding have in common.
#ifndef TANDEM_ENGINE_OPS_STRIDED_COPY_H_
#define TANDEM_ENGINE_OPS_STRIDED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace tandem::engine {

// For every index i in `shape`: target[sum(i * target_strides)] = source[sum(i * source_strides)]. Strides count
// elements; those of the source may be zero (repetition) or negative. `element_size` is 1, 2, 4 or 8, and both pointers
// are aligned to it. Source and target do not overlap. Axes that continue each other are merged, contiguous runs are
// moved whole, and a two-dimensional transpose goes in blocks that stay in the cache.
void CopyStrided(const void* source, absl::Span<const int64_t> source_strides, void* target,
                 absl::Span<const int64_t> target_strides, absl::Span<const int64_t> shape, size_t element_size);

// Copies the elements whose coordinate on axis i is in `indices[i]`, in that order, to a dense target. `indices` has
// one list for each axis, at least one of them; `source_strides` and `element_size` are as above.
void CopyGathered(const void* source, absl::Span<const int64_t> source_strides,
                  absl::Span<const std::vector<int64_t>> indices, void* target, size_t element_size);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_STRIDED_COPY_H_
