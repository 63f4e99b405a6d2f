// The shapes of convolutions, shared by the float and the integer operators.
#ifndef TANDEM_ENGINE_OPS_CONV_SHAPE_H_
#define TANDEM_ENGINE_OPS_CONV_SHAPE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/attributes.h"
#include "engine/ops/conv_geometry.h"
#include "engine/tensor.h"

namespace tandem::engine {

// Everything that the two operators compute from their shapes.
struct ConvShape {
  int64_t batch = 0;
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t groups = 1;
  Window window;
  Shape output;

  int64_t in_per_group() const { return in_channels / groups; }
  int64_t out_per_group() const { return out_channels / groups; }
};

// From the node's attributes and the shapes of input and weights; INVALID_ARGUMENT when they do not fit.
absl::StatusOr<ConvShape> ShapeOfConv(const Attributes& attributes, const Shape& x, const Shape& w);
absl::StatusOr<ConvShape> ShapeOfConvTranspose(const Attributes& attributes, const Shape& x, const Shape& w);

// The product of one member over all axes: WindowProduct(window, &WindowAxis::kernel) taps in a window.
int64_t WindowProduct(const Window& window, int64_t WindowAxis::*member);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_CONV_SHAPE_H_
