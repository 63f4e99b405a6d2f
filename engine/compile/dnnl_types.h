// Between our tensors and oneDNN's memory descriptors.
#ifndef TANDEM_ENGINE_COMPILE_DNNL_TYPES_H_
#define TANDEM_ENGINE_COMPILE_DNNL_TYPES_H_

#include <optional>

#include "absl/types/span.h"
#include "dnnl.hpp"
#include "engine/tensor.h"

namespace tandem::engine {

// The process's one CPU engine.
const dnnl::engine& DnnlEngine();

// oneDNN's type for ours, or nothing when it has none.
std::optional<dnnl::memory::data_type> DnnlType(DataType type);

// Dimensions for oneDNN: a scalar becomes [1].
dnnl::memory::dims DnnlDims(absl::Span<const int64_t> shape);

// Row-major. `type` must be one DnnlType knows, the shape not empty of elements.
dnnl::memory::desc RowMajor(dnnl::memory::data_type type, const dnnl::memory::dims& dims);

// [N, C, spatial...] with the channels innermost: what integer kernels prefer.
dnnl::memory::desc ChannelsLast(dnnl::memory::data_type type, const dnnl::memory::dims& dims);

// oneDNN chooses.
dnnl::memory::desc AnyLayout(dnnl::memory::data_type type, const dnnl::memory::dims& dims);

// Whether elements lie at the same places under both (strides of dimensions of one element do not matter).
bool SameLayout(const dnnl::memory::desc& a, const dnnl::memory::desc& b);

// No blocks inside: addresses follow from strides alone.
bool IsPlain(const dnnl::memory::desc& desc);

// The same order of dimensions and blocks for elements of another type; no gaps, no offset.
dnnl::memory::desc WithType(const dnnl::memory::desc& desc, dnnl::memory::data_type type);

// A layout of its own for a result that should lie as `desc` does: the same order of dimensions, no gaps, no offset.
dnnl::memory::desc Compact(const dnnl::memory::desc& desc);

// The layout of `desc` for a tensor of other dimensions: the same order of dimensions and the same blocks of channels
// where oneDNN has a name for them, else row-major.
dnnl::memory::desc LikeLayout(const dnnl::memory::desc& desc, const dnnl::memory::dims& dims);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_DNNL_TYPES_H_
