// The geometry of windowed operators (Conv, ConvTranspose, the pools): which input elements each output element sees.
//
// Attributes come from files that nobody has checked, so the functions here accept any values and return either a
// geometry whose sizes are safe to compute with, or an error naming what is wrong.
#ifndef TANDEM_ENGINE_OPS_CONV_GEOMETRY_H_
#define TANDEM_ENGINE_OPS_CONV_GEOMETRY_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/attributes.h"
#include "engine/tensor.h"

namespace tandem::engine {

// Indices [begin, end), empty when begin >= end.
struct IndexRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// One spatial axis. Output o reads, for each tap k in [0, kernel), input o * stride + k * dilation - pad_begin, where
// that lies in [0, input).
struct WindowAxis {
  int64_t input = 1;
  int64_t output = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_begin = 0;
  int64_t pad_end = 0;

  // Elements a window spans, from its first tap to its last.
  int64_t Extent() const { return (kernel - 1) * dilation + 1; }
  // The input position of tap `k` of output `o`; outside [0, input) in the padding.
  int64_t InputOf(int64_t o, int64_t k) const { return o * stride + k * dilation - pad_begin; }
  // The outputs whose tap `k` reads an element of the input.
  IndexRange OutputsOfTap(int64_t k) const;
  // The taps of output `o` that read an element of the input.
  IndexRange TapsOfOutput(int64_t o) const;
  // How many taps of output `o` read the input or its declared padding; ceil mode lets windows reach past both.
  int64_t TapsWithPadding(int64_t o) const;
};

// The spatial axes, outermost first.
using Window = absl::InlinedVector<WindowAxis, 3>;

// The window of Conv and the pools, from the attributes strides, dilations, pads, auto_pad (and ceil_mode when
// `honors_ceil_mode`). `spatial` are the input's spatial dimensions and `kernel` the kernel's, one each.
absl::StatusOr<Window> ConvWindow(const Attributes& attributes, absl::Span<const int64_t> spatial,
                                  absl::Span<const int64_t> kernel, bool honors_ceil_mode = false);

// The window of the convolution that ConvTranspose transposes, from output_padding and output_shape too: its `input`
// is what ConvTranspose writes and its `output` is `spatial`, what ConvTranspose reads.
absl::StatusOr<Window> ConvTransposeWindow(const Attributes& attributes, absl::Span<const int64_t> spatial,
                                           absl::Span<const int64_t> kernel);

// `window` with trivial axes before it so that there are three; it must have at most three.
Window ThreeAxes(const Window& window);

// OK when `shape` has no negative dimension and its other ones, zeros left out, multiply to at most kMaxElements.
absl::Status CheckElementCount(absl::Span<const int64_t> shape);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_CONV_GEOMETRY_H_
