#include "engine/compile/conv_primitive.h"

#include <algorithm>
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

namespace {

// oneDNN 3.2's kernel for windows of one pixel computes two tiles of pixels at a time, each of the largest divisor of
// their number that is 16 at most. Of three tiles of 9 to 16 pixels it writes a fourth, behind the end of the result:
// seen for 27, 33, 36, 39, 42, 45 and 48 pixels an image, whatever the channels and types.
bool WritesAFourthTile(absl::string_view name, const memory::dims& result) {
  if (!absl::StrContains(name, "jit_1x1:avx512_core_amx")) return false;
  int64_t pixels = 1;
  for (size_t d = 2; d < result.size(); ++d) pixels *= result[d];
  return pixels % 3 == 0 && pixels > 24 && pixels <= 48;
}

// oneDNN 3.7's general kernel, where the window moves by more than a pixel over an image as narrow as itself: rows but
// the first are wrong.
bool MistakesColumns(absl::string_view name, const memory::dims& result, const memory::dims& strides) {
  if (!absl::StrContains(name, "brg_conv_fwd") || !absl::EndsWith(name, "_amx")) return false;
  return result.size() >= 4 && result.back() == 1 && result[result.size() - 2] > 1 &&
         std::any_of(strides.begin(), strides.end(), [](int64_t stride) { return stride > 1; });
}

}  // namespace

bool IsBrokenKernel(absl::string_view name, const memory::dims& result, const memory::dims& strides) {
  return WritesAFourthTile(name, result) || MistakesColumns(name, result, strides);
}

}  // namespace tandem::engine
