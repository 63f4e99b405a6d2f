#include "engine/compile/conv_primitive.h"

#include <utility>
#include <vector>

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

}  // namespace tandem::engine
