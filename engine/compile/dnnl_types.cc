#include "engine/compile/dnnl_types.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace tandem::engine {

const dnnl::engine& DnnlEngine() {
  static const auto* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

std::optional<dnnl::memory::data_type> DnnlType(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return dnnl::memory::data_type::f32;
    case DataType::kInt32:
      return dnnl::memory::data_type::s32;
    case DataType::kInt8:
      return dnnl::memory::data_type::s8;
    case DataType::kUInt8:
      return dnnl::memory::data_type::u8;
    default:
      return std::nullopt;
  }
}

dnnl::memory::dims DnnlDims(absl::Span<const int64_t> shape) {
  if (shape.empty()) return {1};
  return {shape.begin(), shape.end()};
}

dnnl::memory::desc RowMajor(dnnl::memory::data_type type, const dnnl::memory::dims& dims) {
  dnnl::memory::dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  return {dims, type, strides};
}

dnnl::memory::desc AnyLayout(dnnl::memory::data_type type, const dnnl::memory::dims& dims) {
  return {dims, type, dnnl::memory::format_tag::any};
}

bool IsPlain(const dnnl::memory::desc& desc) {
  return desc.get_format_kind() == dnnl::memory::format_kind::blocked && desc.get_inner_nblks() == 0;
}

bool SameLayout(const dnnl::memory::desc& a, const dnnl::memory::desc& b) {
  if (a == b) return true;
  if (!IsPlain(a) || !IsPlain(b) || a.get_data_type() != b.get_data_type() || a.get_dims() != b.get_dims() ||
      a.get_padded_dims() != b.get_padded_dims() || a.get_submemory_offset() != b.get_submemory_offset()) {
    return false;
  }
  const auto dims = a.get_dims(), x = a.get_strides(), y = b.get_strides();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1 && x[i] != y[i]) return false;
  }
  return true;
}

dnnl::memory::desc Compact(const dnnl::memory::desc& desc) {
  const auto dims = desc.get_dims();
  if (!IsPlain(desc)) return desc.get_submemory_offset() == 0 ? desc : RowMajor(desc.get_data_type(), dims);
  const auto strides = desc.get_strides();
  std::vector<size_t> order(dims.size());  // innermost first
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return strides[a] != strides[b] ? strides[a] < strides[b] : a > b; });
  dnnl::memory::dims compact(dims.size());
  int64_t stride = 1;
  for (size_t axis : order) {
    compact[axis] = stride;
    stride *= dims[axis];
  }
  return {dims, desc.get_data_type(), compact};
}

}  // namespace tandem::engine
