// What oneDNN wants to know of a convolution, from what ONNX says of it.
#ifndef TANDEM_ENGINE_COMPILE_CONV_PRIMITIVE_H_
#define TANDEM_ENGINE_COMPILE_CONV_PRIMITIVE_H_

#include "absl/strings/string_view.h"
#include "dnnl.hpp"
#include "engine/ops/conv_geometry.h"
#include "engine/tensor.h"

namespace tandem::engine {

struct ConvGeometry {
  dnnl::memory::dims strides, dilations, pads_begin, pads_end;
};

// `exact`: of a transposed window, which must fill its size formula exactly; a plain one may leave input at the end
// unread.
ConvGeometry GeometryOf(const Window& window, bool exact);

// The weights of `shape` as oneDNN sees them: [groups,] out, in, spatial. `transposed`: they are stored as
// ConvTranspose has them, [in, out / groups, spatial].
dnnl::memory::desc ConvWeights(const Shape& shape, dnnl::memory::data_type type, int64_t groups, bool transposed);

// Whether the kernel that oneDNN calls `name` is known to compute such a convolution wrongly, or to write outside of
// its result, whose dimensions are [N, C, spatial...].
bool IsBrokenKernel(absl::string_view name, const dnnl::memory::dims& result, const dnnl::memory::dims& strides);

// Moves a convolution on to a kernel that is not. False when there is none.
template <typename PrimitiveDesc>
bool SkipBrokenKernels(PrimitiveDesc& pd) {
  const dnnl::memory::dims result = pd.dst_desc().get_dims(), strides = pd.get_strides();
  while (IsBrokenKernel(pd.impl_info_str(), result, strides)) {
    if (!pd.next_impl()) return false;
  }
  return true;
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_CONV_PRIMITIVE_H_
