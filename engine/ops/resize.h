// What a Resize node does to each axis, for whoever computes it.
#ifndef TANDEM_ENGINE_OPS_RESIZE_H_
#define TANDEM_ENGINE_OPS_RESIZE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "engine/attributes.h"
#include "engine/ops/resample.h"
#include "engine/tensor.h"

namespace tandem::engine {

// The options of a Resize node; an error names the attribute that is wrong.
absl::StatusOr<ResampleOptions> ResizeOptions(const Attributes& attributes);

// How each axis of `input` is resampled. Of `scales` and `sizes` exactly one is given; `roi` may be null.
absl::StatusOr<std::vector<ResampleAxis>> ResizeAxes(const Attributes& attributes, const Shape& input,
                                                     const Tensor* scales, const Tensor* sizes, const Tensor* roi);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_RESIZE_H_
