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

dnnl::memory::desc ChannelsLast(dnnl::memory::data_type type, const dnnl::memory::dims& dims) {
  dnnl::memory::dims strides(dims.size(), 1);
  int64_t stride = dims.size() > 1 ? dims[1] : 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (i == 1) continue;
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
      a.get_padded_dims() != b.get_padded_dims() || a.get_submemory_offset() != b.get_submemory_offset() ||
      a.get_size() != b.get_size()) {  // sums of weights may follow
    return false;
  }
  const auto dims = a.get_dims(), x = a.get_strides(), y = b.get_strides();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1 && x[i] != y[i]) return false;
  }
  return true;
}

namespace {

// Axes from the innermost out.
std::vector<size_t> AxisOrder(const dnnl::memory::desc& desc) {
  const auto strides = desc.get_strides();
  std::vector<size_t> order(strides.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return strides[a] != strides[b] ? strides[a] < strides[b] : a > b; });
  return order;
}

// The tag of images whose channels come in blocks, or `undef`.
dnnl::memory::format_tag BlockedChannels(const dnnl::memory::desc& desc) {
  using tag = dnnl::memory::format_tag;
  if (desc.get_inner_nblks() != 1 || desc.get_inner_idxs()[0] != 1) return tag::undef;
  const auto block = desc.get_inner_blks()[0];
  switch (desc.get_ndims()) {
    case 3:
      return block == 16 ? tag::aBc16b : block == 8 ? tag::aBc8b : tag::undef;
    case 4:
      return block == 16 ? tag::aBcd16b : block == 8 ? tag::aBcd8b : tag::undef;
    case 5:
      return block == 16 ? tag::aBcde16b : block == 8 ? tag::aBcde8b : tag::undef;
    default:
      return tag::undef;
  }
}

}  // namespace

namespace {

dnnl::memory::desc LikeLayout(const dnnl::memory::desc& desc, const dnnl::memory::dims& dims,
                              dnnl::memory::data_type type) {
  if (static_cast<size_t>(desc.get_ndims()) != dims.size()) return RowMajor(type, dims);
  if (!IsPlain(desc)) {
    const auto tag = BlockedChannels(desc);
    return tag == dnnl::memory::format_tag::undef ? RowMajor(type, dims) : dnnl::memory::desc(dims, type, tag);
  }
  dnnl::memory::dims strides(dims.size());
  int64_t stride = 1;
  for (size_t axis : AxisOrder(desc)) {
    strides[axis] = stride;
    stride *= dims[axis];
  }
  return {dims, type, strides};
}

}  // namespace

dnnl::memory::desc LikeLayout(const dnnl::memory::desc& desc, const dnnl::memory::dims& dims) {
  return LikeLayout(desc, dims, desc.get_data_type());
}

dnnl::memory::desc WithType(const dnnl::memory::desc& desc, dnnl::memory::data_type type) {
  return LikeLayout(desc, desc.get_dims(), type);
}

dnnl::memory::desc Compact(const dnnl::memory::desc& desc) {
  if (!IsPlain(desc) && desc.get_submemory_offset() == 0) return desc;
  return LikeLayout(desc, desc.get_dims());
}

}  // namespace tandem::engine
