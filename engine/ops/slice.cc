// Operators that keep a part of a tensor, or cut it into parts.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/strided_copy.h"

namespace tandem::engine {

namespace {

// What Slice reads along each axis: `shape[i]` elements from `start[i]` on, `step[i]` apart.
struct Window {
  Shape start;
  Shape step;
  Shape shape;
};

// Narrows axis `axis` of the window to [start, end) by `step`, by ONNX's rules for negative and far bounds.
absl::Status Narrow(int64_t axis, int64_t start, int64_t end, int64_t step, Window& window) {
  if (step == 0) return OpError("the step of axis ", axis, " must not be 0");
  const int64_t dim = window.shape[axis];
  // Longer steps all leave one element; bounded ones cannot overflow.
  step = std::clamp(step, -dim - 1, dim + 1);
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  int64_t count = 0;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dim);
    end = std::clamp<int64_t>(end, 0, dim);
    if (end > start) count = (end - start - 1) / step + 1;
  } else {
    start = std::clamp<int64_t>(start, 0, std::max<int64_t>(dim - 1, 0));
    end = std::clamp<int64_t>(end, -1, dim - 1);
    if (start > end && dim > 0) count = (start - end - 1) / -step + 1;
  }
  window.start[axis] = count > 0 ? start : 0;
  window.step[axis] = count > 0 ? step : 0;
  window.shape[axis] = count;
  return absl::OkStatus();
}

// `axes` and `steps` may be empty: all axes in order, steps of one.
absl::StatusOr<Window> SliceWindow(const Shape& shape, absl::Span<const int64_t> starts, absl::Span<const int64_t> ends,
                                   absl::Span<const int64_t> axes, absl::Span<const int64_t> steps) {
  const size_t count = starts.size();
  if (ends.size() != count || (!axes.empty() && axes.size() != count) || (!steps.empty() && steps.size() != count)) {
    return OpError("starts, ends, axes and steps have ", count, ", ", ends.size(), ", ", axes.size(), " and ",
                   steps.size(), " elements");
  }
  const int64_t rank = static_cast<int64_t>(shape.size());
  if (axes.empty() && static_cast<int64_t>(count) > rank) {
    return OpError(count, " starts are given for ", rank, " axes");
  }
  std::vector<int64_t> all_axes(count);
  std::iota(all_axes.begin(), all_axes.end(), 0);
  TANDEM_ASSIGN_OR_RETURN(const auto normalized, NormalizeAxes(axes.empty() ? all_axes : axes, rank));
  Window window = {Shape(rank, 0), Shape(rank, 1), shape};
  for (size_t i = 0; i < count; ++i) {
    TANDEM_RETURN_IF_ERROR(Narrow(normalized[i], starts[i], ends[i], steps.empty() ? 1 : steps[i], window));
  }
  return window;
}

absl::Status InferSlice(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  std::vector<int64_t> contents[4];
  bool known = true;
  for (int i = 1; i <= 4; ++i) {
    if (!ctx.has_input(i)) continue;
    TANDEM_ASSIGN_OR_RETURN(auto values, KnownIntegers(ctx, i));
    known = known && values.has_value();
    if (values.has_value()) contents[i - 1] = *std::move(values);
  }
  if (!known || !ctx.has_shape(0)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(Window window, SliceWindow(ctx.shape(0), contents[0], contents[1], contents[2], contents[3]));
  ctx.SetOutput(0, ctx.type(0), std::move(window.shape));
  return absl::OkStatus();
}

absl::Status Slice(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const auto starts, IntegersOf(ctx.input(1)));
  TANDEM_ASSIGN_OR_RETURN(const auto ends, IntegersOf(ctx.input(2)));
  TANDEM_ASSIGN_OR_RETURN(const auto axes, IntegersOr(ctx, 3, {}));
  TANDEM_ASSIGN_OR_RETURN(const auto steps, IntegersOr(ctx, 4, {}));
  TANDEM_ASSIGN_OR_RETURN(const Window window, SliceWindow(input.shape(), starts, ends, axes, steps));
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, window.shape));
  if (ctx.output(0).num_elements() == 0) return absl::OkStatus();
  Shape strides = RowMajorStrides(input.shape());
  int64_t offset = 0;
  for (size_t i = 0; i < strides.size(); ++i) {
    offset += window.start[i] * strides[i];
    strides[i] *= window.step[i];
  }
  const size_t size = SizeOf(input.type());
  CopyStrided(static_cast<const char*>(input.data()) + offset * size, strides, ctx.output(0).data(),
              RowMajorStrides(window.shape), window.shape, size);
  return absl::OkStatus();
}

// The lengths of equal parts of `length`, the last ones shorter where it does not divide.
std::vector<int64_t> EqualParts(int64_t length, int64_t count) {
  const int64_t part = (length + count - 1) / count;
  std::vector<int64_t> parts(count);
  for (int64_t& size : parts) {
    size = std::min(part, length);
    length -= size;
  }
  return parts;
}

absl::Status CheckParts(absl::Span<const int64_t> parts, int64_t length, int outputs) {
  if (static_cast<int>(parts.size()) != outputs) {
    return OpError("split has ", parts.size(), " lengths for ", outputs, " outputs");
  }
  int64_t left = length;
  for (int64_t part : parts) {
    if (part < 0 || part > left) return OpError("a part of ", part, " does not fit what is left of ", length);
    left -= part;
  }
  if (left != 0) return OpError("the parts leave ", left, " of ", length, " over");
  return absl::OkStatus();
}

absl::Status InferSplit(InferContext& ctx) {
  for (int i = 0; i < ctx.num_outputs(); ++i) ctx.SetOutput(i, ctx.type(0), std::nullopt);
  const int64_t wanted = ctx.attributes().Int("num_outputs", ctx.num_outputs());
  if (wanted != ctx.num_outputs() || wanted < 1) {
    return OpError("num_outputs is ", wanted, ", the node has ", ctx.num_outputs(), " outputs");
  }
  std::optional<std::vector<int64_t>> parts;
  if (ctx.has_input(1)) {
    TANDEM_ASSIGN_OR_RETURN(parts, KnownIntegers(ctx, 1));
    if (!parts.has_value()) return absl::OkStatus();
  }
  if (!ctx.has_shape(0)) return absl::OkStatus();
  Shape shape = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(ctx.attributes().Int("axis", 0), static_cast<int64_t>(shape.size())));
  if (!parts.has_value()) parts = EqualParts(shape[axis], ctx.num_outputs());
  TANDEM_RETURN_IF_ERROR(CheckParts(*parts, shape[axis], ctx.num_outputs()));
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    shape[axis] = (*parts)[i];
    ctx.SetOutput(i, ctx.type(0), shape);
  }
  return absl::OkStatus();
}

absl::Status Split(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), input.rank()));
  std::vector<int64_t> lengths;
  for (const Tensor& output : ctx.outputs()) lengths.push_back(output.dim(axis));
  TANDEM_RETURN_IF_ERROR(CheckParts(lengths, input.dim(axis), ctx.num_outputs()));
  const AxisView whole = ViewAround(input.shape(), axis);
  const size_t size = SizeOf(input.type());
  const size_t row = whole.length * whole.inner * size;
  const char* source = static_cast<const char*>(input.data());
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    const size_t run = lengths[i] * whole.inner * size;
    char* target = static_cast<char*>(ctx.output(i).data());
    if (run == 0) continue;
    for (int64_t outer = 0; outer < whole.outer; ++outer) std::memcpy(target + outer * run, source + outer * row, run);
    source += run;
  }
  return absl::OkStatus();
}

absl::Status InferCompress(InferContext& ctx) {
  if (ctx.type(1) != DataType::kBool) return OpError("condition must be bool, got ", NameOf(ctx.type(1)));
  if (ctx.has_shape(1) && ctx.shape(1).size() != 1) {
    return OpError("condition must have one axis, got shape ", ToString(ctx.shape(1)));
  }
  const int64_t* axis = ctx.attributes().Find<int64_t>("axis");
  if (axis != nullptr && ctx.has_shape(0)) {
    TANDEM_RETURN_IF_ERROR(NormalizeAxis(*axis, static_cast<int64_t>(ctx.shape(0).size())).status());
  }
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  return absl::OkStatus();
}

absl::Status Compress(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  const auto condition = ctx.input(1).values<bool>();
  const int64_t* given = ctx.attributes().Find<int64_t>("axis");
  Shape shape = given != nullptr ? input.shape() : Shape{input.num_elements()};
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(given != nullptr ? *given : 0, static_cast<int64_t>(shape.size())));
  const AxisView view = ViewAround(shape, axis);
  std::vector<int64_t> kept;
  // The condition may be shorter than the axis, and what it has in excess selects nothing.
  const int64_t length = std::min<int64_t>(view.length, static_cast<int64_t>(condition.size()));
  for (int64_t i = 0; i < length; ++i) {
    if (condition[i]) kept.push_back(i);
  }
  shape[axis] = static_cast<int64_t>(kept.size());
  Tensor& output = ctx.AllocateOutput(0, input.type(), shape);
  if (output.num_elements() == 0) return absl::OkStatus();
  const size_t run = view.inner * SizeOf(input.type());
  const char* source = static_cast<const char*>(input.data());
  char* target = static_cast<char*>(output.data());
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t i : kept) {
      std::memcpy(target, source + (outer * view.length + i) * run, run);
      target += run;
    }
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Slice", 3, 5, InferSlice, Slice},
    {"Split", 1, 2, InferSplit, Split},
    {"Compress", 2, 2, InferCompress, Compress},
};

}  // namespace

absl::Span<const OpDef> SliceOps() { return kOps; }

}  // namespace tandem::engine
