// Operators that put something around a tensor, or crop it.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/strided_copy.h"

namespace tandem::engine {

namespace {

// Fills `output` with the element at `value` (null: zero bytes), then places `input` so that its index 0 of each axis
// lands on `offset` of the output's; what falls outside is cropped.
absl::Status PlaceInto(const Tensor& input, absl::Span<const int64_t> offset, const void* value, Tensor& output) {
  const size_t size = SizeOf(output.type());
  TANDEM_RETURN_IF_ERROR(DispatchSize(size, [&](auto t) {
    using T = decltype(t);
    T fill = 0;
    if (value != nullptr) std::memcpy(&fill, value, sizeof(T));
    std::fill_n(MutableRawData<T>(output), output.num_elements(), fill);
    return absl::OkStatus();
  }));
  const Shape source_strides = RowMajorStrides(input.shape());
  const Shape target_strides = RowMajorStrides(output.shape());
  const char* source = static_cast<const char*>(input.data());
  char* target = static_cast<char*>(output.data());
  Shape overlap;
  for (size_t i = 0; i < offset.size(); ++i) {
    const int64_t begin = std::max<int64_t>(offset[i], 0);
    const int64_t end = std::min(offset[i] + input.shape()[i], output.shape()[i]);
    if (begin >= end) return absl::OkStatus();
    overlap.push_back(end - begin);
    source += (begin - offset[i]) * source_strides[i] * size;
    target += begin * target_strides[i] * size;
  }
  CopyStrided(source, source_strides, target, target_strides, overlap, size);
  return absl::OkStatus();
}

enum class PadMode { kConstant, kReflect, kEdge, kWrap };

absl::StatusOr<PadMode> ModeOf(const Attributes& attributes) {
  const std::string mode = attributes.String("mode", "constant");
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return PadMode::kWrap;
  return OpError("mode '", mode, "' is not supported");
}

// Elements added (removed, when negative) before and after every axis.
struct Pads {
  Shape before;
  Shape after;
};

// `axes` count only when `has_axes`; otherwise the pads are for all axes in order.
absl::StatusOr<Pads> PadsOf(int64_t rank, absl::Span<const int64_t> pads, std::vector<int64_t> axes, bool has_axes) {
  if (!has_axes) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
  }
  TANDEM_ASSIGN_OR_RETURN(axes, NormalizeAxes(axes, rank));
  if (pads.size() != 2 * axes.size()) return OpError(pads.size(), " pads are given for ", axes.size(), " axes");
  Pads result = {Shape(rank, 0), Shape(rank, 0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    result.before[axes[i]] = pads[i];
    result.after[axes[i]] = pads[axes.size() + i];
  }
  return result;
}

absl::StatusOr<Shape> PaddedShape(const Shape& input, const Pads& pads, PadMode mode) {
  Shape shape = input;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t before = pads.before[i];
    const int64_t after = pads.after[i];
    if (std::max(before, after) > kMaxElements || std::min(before, after) < -kMaxElements) {
      return OpError("pads ", before, " and ", after, " of axis ", i, " are out of range");
    }
    shape[i] += before + after;
    if (shape[i] < 0) return OpError("pads ", before, " and ", after, " leave nothing of axis ", i);
    const int64_t kept = input[i] + std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
    if (mode != PadMode::kConstant && kept <= 0 && shape[i] > 0) {
      return OpError("axis ", i, " has nothing left to take the padding from");
    }
  }
  TANDEM_RETURN_IF_ERROR(CheckDims(shape));
  return shape;
}

absl::Status InferPad(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const PadMode mode, ModeOf(ctx.attributes()));
  TANDEM_ASSIGN_OR_RETURN(const auto amounts, KnownIntegers(ctx, 1));
  if (ctx.has_input(2)) {
    if (ctx.type(2) != ctx.type(0)) return OpError("constant_value is ", NameOf(ctx.type(2)));
    if (ctx.has_shape(2) && NumElements(ctx.shape(2)) != 1) return OpError("constant_value must be one number");
  }
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  std::optional<std::vector<int64_t>> axes = std::vector<int64_t>();
  if (ctx.has_input(3)) {
    TANDEM_ASSIGN_OR_RETURN(axes, KnownIntegers(ctx, 3));
  }
  if (!amounts.has_value() || !axes.has_value() || !ctx.has_shape(0)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const Pads pads,
                          PadsOf(static_cast<int64_t>(ctx.shape(0).size()), *amounts, *axes, ctx.has_input(3)));
  TANDEM_ASSIGN_OR_RETURN(Shape shape, PaddedShape(ctx.shape(0), pads, mode));
  ctx.SetOutput(0, ctx.type(0), std::move(shape));
  return absl::OkStatus();
}

int64_t Modulo(int64_t value, int64_t divisor) {
  const int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

// Where in [0, length) the padded position `at` comes from; at lies in that range outside the padding.
int64_t SourceIndex(int64_t at, int64_t length, PadMode mode) {
  if (mode == PadMode::kWrap) return Modulo(at, length);
  if (mode == PadMode::kEdge || length == 1) return std::clamp<int64_t>(at, 0, length - 1);
  const int64_t folded = Modulo(at, 2 * (length - 1));
  return folded < length ? folded : 2 * (length - 1) - folded;
}

// For every position of an output axis, the input position it copies.
std::vector<int64_t> SourceIndices(int64_t input, int64_t output, int64_t before, int64_t after, PadMode mode) {
  // Negative pads crop first: what they cut away is no source for the other side.
  const int64_t first = std::max<int64_t>(-before, 0);
  const int64_t length = input - first - std::max<int64_t>(-after, 0);
  std::vector<int64_t> indices(output);
  for (int64_t i = 0; i < output; ++i) {
    indices[i] = first + SourceIndex(i - std::max<int64_t>(before, 0), length, mode);
  }
  return indices;
}

absl::Status Pad(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  TANDEM_ASSIGN_OR_RETURN(const PadMode mode, ModeOf(ctx.attributes()));
  TANDEM_ASSIGN_OR_RETURN(const auto amounts, IntegersOf(ctx.input(1)));
  TANDEM_ASSIGN_OR_RETURN(const auto axes, IntegersOr(ctx, 3, {}));
  TANDEM_ASSIGN_OR_RETURN(const Pads pads, PadsOf(input.rank(), amounts, axes, ctx.has_input(3)));
  TANDEM_ASSIGN_OR_RETURN(const Shape shape, PaddedShape(input.shape(), pads, mode));
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, shape));
  if (output.num_elements() == 0) return absl::OkStatus();
  if (mode == PadMode::kConstant || input.rank() == 0) {
    return PlaceInto(input, pads.before, ctx.has_input(2) ? ctx.input(2).data() : nullptr, output);
  }
  std::vector<std::vector<int64_t>> indices;
  for (size_t i = 0; i < shape.size(); ++i) {
    indices.push_back(SourceIndices(input.shape()[i], shape[i], pads.before[i], pads.after[i], mode));
  }
  CopyGathered(input.data(), RowMajorStrides(input.shape()), indices, output.data(), SizeOf(input.type()));
  return absl::OkStatus();
}

absl::Status InferCenterCropPad(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto wanted, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  Shape shape = ctx.shape(0);
  std::vector<int64_t> axes = ctx.attributes().Ints("axes");
  if (!ctx.attributes().Has("axes")) {
    axes.resize(shape.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  TANDEM_ASSIGN_OR_RETURN(axes, NormalizeAxes(axes, static_cast<int64_t>(shape.size())));
  if (!wanted.has_value()) return absl::OkStatus();
  if (wanted->size() != axes.size()) return OpError(wanted->size(), " lengths are given for ", axes.size(), " axes");
  for (size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = (*wanted)[i];
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status CenterCropPad(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  Shape offset;
  for (int64_t i = 0; i < input.rank(); ++i) {
    const int64_t grown = output.dim(i) - input.dim(i);
    // Half of what is added goes in front, half of what is cut comes from there, both rounded down.
    offset.push_back(grown >= 0 ? grown / 2 : -(-grown / 2));
  }
  return PlaceInto(input, offset, nullptr, output);
}

constexpr OpDef kOps[] = {
    {"Pad", 2, 4, InferPad, Pad},
    {"CenterCropPad", 2, 2, InferCenterCropPad, CenterCropPad},
};

}  // namespace

absl::Span<const OpDef> PadOps() { return kOps; }

}  // namespace tandem::engine
