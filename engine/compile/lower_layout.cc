// Operators that only say where elements lie: most become another view of the same bytes.
#include <algorithm>

#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/lowering.h"
#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

memory::dims Dims(const Shape& shape) { return DnnlDims(shape); }

// Where the elements of `x` lie for a node that moves them to `y`: integers when both are stored alike, else real
// numbers.
Placement Origin(PlanBuilder& builder, ValueId x, ValueId y) {
  return builder.StoredAlike(x, y) ? builder.Stored(x) : builder.Current(x);
}

memory::desc RowMajorLike(const memory::desc& desc, const Shape& shape) {
  return RowMajor(desc.get_data_type(), Dims(shape));
}

// `x` row-major, in the type it has at `source`.
Placement DenseLike(PlanBuilder& builder, ValueId x, const Placement& source) {
  const memory::desc dense = RowMajorLike(source.desc, builder.shape(x));
  return {builder.In(x, dense), dense};
}

// Where a value can be cut into views: its own layout if that has no blocks, else row-major.
Placement Sliceable(PlanBuilder& builder, ValueId x, ValueId y) {
  const Placement source = Origin(builder, x, y);
  return IsPlain(source.desc) ? source : DenseLike(builder, x, source);
}

// Defines `y` as the part of `source` that begins at `offsets`.
void DefinePart(PlanBuilder& builder, ValueId y, const Placement& source, const memory::dims& offsets) {
  const memory::dims strides = source.desc.get_strides();
  int64_t elements = 0;
  for (size_t i = 0; i < offsets.size(); ++i) elements += offsets[i] * strides[i];
  const auto type = source.desc.get_data_type();
  const size_t bytes = static_cast<size_t>(elements) * memory::data_type_size(type);
  builder.Define(y, {builder.PartOf(source.buffer, bytes), memory::desc(Dims(builder.shape(y)), type, strides)});
}

}  // namespace

bool LowerView(PlanBuilder& builder, const Node& node) {
  if (node.outputs.size() != 1 || !node.post_ops.empty()) return false;  // Dropout with a mask
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!builder.FitsDnnl(x) || !builder.FitsDnnl(y)) {
    builder.Define(y, {builder.Dense(x), builder.FitsDnnl(y) ? builder.RowMajorOf(y) : memory::desc()});
    return true;
  }
  const Placement source = Origin(builder, x, y);
  if (!SameLayout(source.desc, RowMajorLike(source.desc, builder.shape(x)))) {
    try {  // dimensions of one element come and go in any layout
      builder.Define(y, {source.buffer, source.desc.reshape(Dims(builder.shape(y)))});
      return true;
    } catch (const dnnl::error&) {
    }
  }
  builder.Define(y, {DenseLike(builder, x, source).buffer, RowMajorLike(source.desc, builder.shape(y))});
  return true;
}

bool LowerTranspose(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!builder.FitsDnnl(x)) return false;
  const int rank = static_cast<int>(builder.shape(x).size());
  if (rank < 2) return LowerView(builder, node);
  std::vector<int64_t> perm = node.attributes.Ints("perm");
  if (perm.empty()) {
    for (int i = rank - 1; i >= 0; --i) perm.push_back(i);
  }
  std::vector<int> target(rank);  // where each of x's axes goes
  for (int i = 0; i < rank; ++i) target[perm[i] < 0 ? perm[i] + rank : perm[i]] = i;
  const Placement source = Origin(builder, x, y);
  builder.Define(y, {source.buffer, source.desc.permute_axes(target)});
  return true;
}

bool LowerSlice(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!builder.FitsDnnl(x) || !builder.FitsDnnl(y)) return false;
  const Shape& shape = builder.shape(x);
  memory::dims offsets(shape.size(), 0);
  const Tensor* starts = builder.graph().ConstantOf(node.inputs[1]);
  const Tensor* axes = node.inputs.size() > 3 ? builder.graph().ConstantOf(node.inputs[3]) : nullptr;
  const Tensor* steps = node.inputs.size() > 4 ? builder.graph().ConstantOf(node.inputs[4]) : nullptr;
  if (starts == nullptr || (node.inputs.size() > 3 && node.inputs[3] != kNoValue && axes == nullptr)) return false;
  if (node.inputs.size() > 4 && node.inputs[4] != kNoValue) {
    if (steps == nullptr) return false;
    const auto values = IntegersOf(*steps);
    for (int64_t step : *values) {
      if (step != 1) return false;
    }
  }
  const auto begin = IntegersOf(*starts);
  std::vector<int64_t> axis_list(begin->size());
  for (size_t i = 0; i < axis_list.size(); ++i) axis_list[i] = static_cast<int64_t>(i);
  if (axes != nullptr) axis_list = *IntegersOf(*axes);
  for (size_t i = 0; i < begin->size(); ++i) {
    const int64_t axis = axis_list[i] < 0 ? axis_list[i] + static_cast<int64_t>(shape.size()) : axis_list[i];
    const int64_t start = (*begin)[i] < 0 ? (*begin)[i] + shape[axis] : (*begin)[i];
    offsets[axis] = std::min(std::max<int64_t>(start, 0), shape[axis]);
  }
  DefinePart(builder, y, Sliceable(builder, x, y), offsets);
  return true;
}

bool LowerSplit(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0];
  if (!builder.FitsDnnl(x)) return false;
  const Shape& shape = builder.shape(x);
  const auto axis = NormalizeAxis(node.attributes.Int("axis", 0), static_cast<int64_t>(shape.size()));
  if (!axis.ok()) return false;
  for (ValueId y : node.outputs) {
    if (!builder.FitsDnnl(y)) return false;
  }
  memory::dims offsets(shape.size(), 0);
  for (ValueId y : node.outputs) {
    DefinePart(builder, y, Sliceable(builder, x, y), offsets);
    offsets[*axis] += builder.shape(y)[*axis];
  }
  return true;
}

bool LowerConcat(PlanBuilder& builder, const Node& node) {
  const ValueId y = node.outputs[0];
  if (!builder.FitsDnnl(y)) return false;
  const auto axis = NormalizeAxis(node.attributes.Int("axis", 0), static_cast<int64_t>(builder.shape(y).size()));
  if (!axis.ok()) return false;
  // All sources meet in the layout of the largest.
  ValueId largest = node.inputs[0];
  for (ValueId x : node.inputs) {
    if (!builder.FitsDnnl(x) || builder.value(x).type != builder.value(y).type) return false;
    if (NumElements(builder.shape(x)) > NumElements(builder.shape(largest))) largest = x;
  }
  // As integers where all are stored alike.
  const bool stored =
      std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId x) { return builder.StoredAlike(x, y); });
  const auto place = [&](ValueId x) { return stored ? builder.Stored(x) : builder.Current(x); };
  const memory::desc layout = place(largest).desc;
  const memory::desc result = LikeLayout(layout, Dims(builder.shape(y)));
  std::vector<memory::desc> sources;
  std::vector<DnnlArgument> arguments;
  for (ValueId x : node.inputs) {
    const Placement current = place(x);
    // Strided views of that order are read as they are.
    const bool fits = SameLayout(LikeLayout(current.desc, Dims(builder.shape(y))), result);
    const memory::desc source = fits ? current.desc : LikeLayout(layout, Dims(builder.shape(x)));
    const int index = static_cast<int>(sources.size());
    arguments.push_back({DNNL_ARG_MULTIPLE_SRC + index, fits ? current.buffer : builder.In(x, source), source});
    sources.push_back(source);
  }
  const dnnl::concat::primitive_desc pd(DnnlEngine(), result, static_cast<int>(*axis), sources, PlanAttributes());
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  arguments.push_back({DNNL_ARG_DST, builder.DefineIn(y, result), result});
  AddPrimitive(builder, dnnl::concat(pd), pd.scratchpad_desc(), std::move(arguments),
               StepName("concat", pd.impl_info_str(), node));
  return true;
}

bool LowerStore(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  const std::optional<Quantization>& from = builder.value(x).quantization;
  const std::optional<Quantization>& to = builder.value(y).quantization;
  if (!to.has_value() || !builder.FitsDnnl(x)) return false;
  builder.DefineRounded(y, {from.has_value() ? builder.Stored(x) : builder.Current(x), from});
  return true;
}

bool LowerChannelShuffle(PlanBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0], y = node.outputs[0];
  if (!IsDnnlFloat(builder, x)) return false;
  const Placement source = Origin(builder, x, y);
  const Shape& shape = builder.shape(x);
  const int64_t channels = shape[1], groups = node.attributes.Int("groups", 1), each = channels / groups;
  const memory::desc result = Compact(source.desc);
  const bool channels_last = IsPlain(source.desc) && SameLayout(source.desc, result) && result.get_strides()[1] == 1;
  if (channels_last) {  // a transposition of every pixel's [groups, each]
    const int64_t pixels = NumElements(shape) / channels;
    const memory::dims dims = {pixels, groups, each};
    const memory::data_type type = source.desc.get_data_type();
    const memory::desc from(dims, type, memory::dims{channels, each, 1});
    const memory::desc to(dims, type, memory::dims{channels, 1, groups});
    AddReorder(builder, {source.buffer, from}, {builder.DefineIn(y, result), to}, builder.value(y).name);
    return true;
  }
  // oneDNN's group is the other factor of ours.
  const dnnl::shuffle_forward::primitive_desc pd(DnnlEngine(), dnnl::prop_kind::forward_inference, source.desc, result,
                                                 1, each, PlanAttributes());
  if (IsReferenceKernel(pd.impl_info_str())) return false;
  AddPrimitive(builder, dnnl::shuffle_forward(pd), pd.scratchpad_desc(),
               {{DNNL_ARG_SRC, source.buffer, source.desc}, {DNNL_ARG_DST, builder.DefineIn(y, result), result}},
               StepName("shuffle", pd.impl_info_str(), node));
  return true;
}

}  // namespace tandem::engine
