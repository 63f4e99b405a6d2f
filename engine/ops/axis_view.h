// A shape seen as [outer, length, inner] around one axis.
#ifndef TANDEM_ENGINE_OPS_AXIS_VIEW_H_
#define TANDEM_ENGINE_OPS_AXIS_VIEW_H_

#include <cstdint>

#include "engine/tensor.h"

namespace tandem::engine {

struct AxisView {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
};

// `axis` must be in [0, rank).
inline AxisView ViewAround(absl::Span<const int64_t> shape, int64_t axis) {
  return {NumElements(shape.subspan(0, axis)), shape[axis], NumElements(shape.subspan(axis + 1))};
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_AXIS_VIEW_H_
