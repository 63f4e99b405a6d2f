// Operators that read or change shapes and leave the elements as they are.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_join.h"
#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// The part of the dimensions that Shape's start and end select.
Tensor SelectedDims(const Attributes& attributes, const Shape& shape) {
  const int64_t rank = static_cast<int64_t>(shape.size());
  const auto bound = [rank](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const int64_t start = bound(attributes.Int("start", 0));
  const int64_t end = std::max(start, bound(attributes.Int("end", rank)));
  return Tensor::Of<int64_t>({end - start}, absl::MakeSpan(shape).subspan(start, end - start));
}

absl::Status InferShape(InferContext& ctx) {
  if (ctx.has_shape(0)) {
    ctx.SetOutputValue(0, SelectedDims(ctx.attributes(), ctx.shape(0)));
  } else {
    ctx.SetOutput(0, DataType::kInt64, std::nullopt);
  }
  return absl::OkStatus();
}

absl::Status ShapeKernel(KernelContext& ctx) {
  const Tensor dims = SelectedDims(ctx.attributes(), ctx.input(0).shape());
  std::copy_n(dims.values<int64_t>().begin(), dims.num_elements(), ctx.output(0).mutable_values<int64_t>().begin());
  return absl::OkStatus();
}

absl::Status InferSize(InferContext& ctx) {
  if (ctx.has_shape(0)) {
    ctx.SetOutputValue(0, Tensor::Scalar<int64_t>(NumElements(ctx.shape(0))));
  } else {
    ctx.SetOutput(0, DataType::kInt64, Shape{});
  }
  return absl::OkStatus();
}

absl::Status SizeKernel(KernelContext& ctx) {
  ctx.output(0).mutable_values<int64_t>()[0] = ctx.input(0).num_elements();
  return absl::OkStatus();
}

absl::Status CopyInput(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  if (input.num_elements() != output.num_elements()) {
    return OpError("cannot view ", ToString(input.shape()), " as ", ToString(output.shape()));
  }
  if (input.num_bytes() > 0) std::memcpy(output.data(), input.data(), input.num_bytes());
  return absl::OkStatus();
}

// The shape Reshape makes of `input`: 0 keeps a dimension (unless allow_zero), one -1 takes what is left.
absl::StatusOr<Shape> ReshapedTo(const Shape& input, absl::Span<const int64_t> wanted, bool allow_zero) {
  const auto error = [&] {
    return OpError("cannot reshape ", ToString(input), " to [", absl::StrJoin(wanted, ","), "]");
  };
  Shape shape(wanted.begin(), wanted.end());
  std::optional<size_t> free;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < -1) return error();
    if (shape[i] == 0 && !allow_zero) {
      if (i >= input.size()) return error();
      shape[i] = input[i];
    } else if (shape[i] == -1) {
      if (free.has_value()) return error();
      free = i;
      shape[i] = 1;
    }
  }
  TANDEM_RETURN_IF_ERROR(CheckDims(shape));
  const int64_t count = NumElements(input);
  const int64_t others = NumElements(shape);
  if (free.has_value()) {
    if (others == 0 || count % others != 0) return error();
    shape[*free] = count / others;
  }
  if (NumElements(shape) != count) return error();
  return shape;
}

absl::Status InferReshape(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto wanted, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!wanted.has_value() || !ctx.has_shape(0)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(Shape shape, ReshapedTo(ctx.shape(0), *wanted, ctx.attributes().Int("allowzero", 0) != 0));
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status InferFlatten(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const absl::Span<const int64_t> shape = ctx.shape(0);
  const int64_t rank = static_cast<int64_t>(shape.size());
  const int64_t given = ctx.attributes().Int("axis", 1);
  if (given < -rank || given > rank) return OpError("axis ", given, " is outside [", -rank, ",", rank, "]");
  const int64_t axis = given < 0 ? given + rank : given;
  return SetCheckedOutput(ctx, 0, ctx.type(0), {NumElements(shape.subspan(0, axis)), NumElements(shape.subspan(axis))});
}

absl::Status InferSqueeze(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  std::optional<std::vector<int64_t>> given;
  if (ctx.has_input(1)) {
    TANDEM_ASSIGN_OR_RETURN(given, KnownIntegers(ctx, 1));
    if (!given.has_value()) return absl::OkStatus();
  }
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& shape = ctx.shape(0);
  std::vector<bool> dropped(shape.size(), false);
  if (given.has_value()) {
    TANDEM_ASSIGN_OR_RETURN(const auto axes, NormalizeAxes(*given, static_cast<int64_t>(shape.size())));
    for (int64_t axis : axes) {
      if (shape[axis] != 1) return OpError("cannot squeeze axis ", axis, " of ", ToString(shape));
      dropped[axis] = true;
    }
  }
  Shape kept;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (given.has_value() ? !dropped[i] : shape[i] != 1) kept.push_back(shape[i]);
  }
  ctx.SetOutput(0, ctx.type(0), std::move(kept));
  return absl::OkStatus();
}

absl::Status InferUnsqueeze(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto given, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!given.has_value() || !ctx.has_shape(0)) return absl::OkStatus();
  const Shape& shape = ctx.shape(0);
  const size_t rank = shape.size() + given->size();
  TANDEM_ASSIGN_OR_RETURN(const auto axes, NormalizeAxes(*given, static_cast<int64_t>(rank)));
  Shape output(rank, 1);
  std::vector<bool> inserted(rank, false);
  for (int64_t axis : axes) inserted[axis] = true;
  auto next = shape.begin();
  for (size_t i = 0; i < rank; ++i) {
    if (!inserted[i]) output[i] = *next++;
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Shape", 1, 1, InferShape, ShapeKernel},   {"Size", 1, 1, InferSize, SizeKernel},
    {"Reshape", 2, 2, InferReshape, CopyInput}, {"Flatten", 1, 1, InferFlatten, CopyInput},
    {"Squeeze", 1, 2, InferSqueeze, CopyInput}, {"Unsqueeze", 2, 2, InferUnsqueeze, CopyInput},
};

}  // namespace

absl::Span<const OpDef> ShapeOps() { return kOps; }

}  // namespace tandem::engine
