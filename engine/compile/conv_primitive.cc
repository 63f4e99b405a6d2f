#include "engine/compile/conv_primitive.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "engine/compile/dnnl_types.h"

namespace tandem::engine {

using dnnl::memory;

ConvGeometry GeometryOf(const Window& window, bool exact) {
  ConvGeometry geometry;
  for (const WindowAxis& axis : window) {
    geometry.strides.push_back(axis.stride);
    geometry.dilations.push_back(axis.dilation - 1);
    geometry.pads_begin.push_back(axis.pad_begin);
    geometry.pads_end.push_back(exact ? (axis.output - 1) * axis.stride + axis.Extent() - axis.input - axis.pad_begin
                                      : axis.pad_end);
  }
  return geometry;
}

memory::desc ConvWeights(const Shape& shape, memory::data_type type, int64_t groups, bool transposed) {
  memory::dims dims(shape.begin(), shape.end());
  if (groups > 1) {
    dims[0] /= groups;
    dims.insert(dims.begin(), groups);
  }
  memory::desc desc = RowMajor(type, dims);
  if (!transposed) return desc;
  std::vector<int> permutation(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) permutation[i] = static_cast<int>(i);
  const size_t first = groups > 1 ? 1 : 0;
  std::swap(permutation[first], permutation[first + 1]);
  return desc.permute_axes(permutation);
}

// The tile kernel for windows of one pixel computes two tiles of pixels at a time, each of the largest divisor of their
// number that is 16 at most. Of three tiles of 9 to 16 pixels it writes a fourth (oneDNN 3.2; seen for 27, 33, 36, 39,
// 42, 45 and 48 pixels an image, whatever the channels and types).
bool WritesPastEnd(absl::string_view name, const memory::dims& result) {
  if (!absl::StrContains(name, "jit_1x1:avx512_core_amx")) return false;
  int64_t pixels = 1;
  for (size_t d = 2; d < result.size(); ++d) pixels *= result[d];
  return pixels % 3 == 0 && pixels > 24 && pixels <= 48;
}

}  // namespace tandem::engine
