// Operators that rearrange elements: none computes, all move bytes by element size.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/strided_copy.h"

namespace tandem::engine {

namespace {

// Writes `input`, seen as an array of shape `view`, with its axes in the order `permutation`.
void CopyTransposed(const Tensor& input, absl::Span<const int64_t> view, absl::Span<const int64_t> permutation,
                    Tensor& output) {
  const Shape strides = RowMajorStrides(view);
  Shape shape;
  Shape source_strides;
  for (int64_t axis : permutation) {
    shape.push_back(view[axis]);
    source_strides.push_back(strides[axis]);
  }
  CopyStrided(input.data(), source_strides, output.data(), RowMajorStrides(shape), shape, SizeOf(input.type()));
}

absl::StatusOr<std::vector<int64_t>> Permutation(const Attributes& attributes, int64_t rank) {
  std::vector<int64_t> given = attributes.Ints("perm");
  if (!attributes.Has("perm")) {
    given.resize(rank);
    std::iota(given.rbegin(), given.rend(), 0);
  }
  if (static_cast<int64_t>(given.size()) != rank) {
    return OpError("perm has ", given.size(), " axes, the input has ", rank);
  }
  return NormalizeAxes(given, rank);
}

absl::Status InferTranspose(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& input = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const auto permutation, Permutation(ctx.attributes(), static_cast<int64_t>(input.size())));
  Shape shape;
  for (int64_t axis : permutation) shape.push_back(input[axis]);
  ctx.SetOutput(0, ctx.type(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Transpose(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const auto permutation, Permutation(ctx.attributes(), input.rank()));
  CopyTransposed(input, input.shape(), permutation, ctx.output(0));
  return absl::OkStatus();
}

// The side of the squares that depth and space are traded in. Bounded, so that no dimension overflows when multiplied.
absl::StatusOr<int64_t> BlockSize(const InferContext& ctx) {
  const int64_t block = ctx.attributes().Int("blocksize", 0);
  if (block < 1 || block > 65536) return OpError("blocksize ", block, " is outside [1,65536]");
  if (ctx.has_shape(0) && ctx.shape(0).size() != 4) {
    return OpError("expected an input [N,C,H,W], got ", ToString(ctx.shape(0)));
  }
  return block;
}

absl::Status InferDepthToSpace(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t block, BlockSize(ctx));
  const std::string mode = ctx.attributes().String("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return OpError("mode '", mode, "' is neither DCR nor CRD");
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& in = ctx.shape(0);
  if (in[1] % (block * block) != 0) {
    return OpError("blocksize ", block, " squared does not divide the ", in[1], " channels");
  }
  return SetCheckedOutput(ctx, 0, ctx.type(0), {in[0], in[1] / (block * block), in[2] * block, in[3] * block});
}

absl::Status DepthToSpace(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  const int64_t block = ctx.attributes().Int("blocksize", 1);
  const int64_t channels = x.dim(1) / (block * block);
  if (ctx.attributes().String("mode", "DCR") == "DCR") {
    CopyTransposed(x, {x.dim(0), block, block, channels, x.dim(2), x.dim(3)}, {0, 3, 4, 1, 5, 2}, ctx.output(0));
  } else {
    CopyTransposed(x, {x.dim(0), channels, block, block, x.dim(2), x.dim(3)}, {0, 1, 4, 2, 5, 3}, ctx.output(0));
  }
  return absl::OkStatus();
}

absl::Status InferSpaceToDepth(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t block, BlockSize(ctx));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& in = ctx.shape(0);
  if (in[2] % block != 0 || in[3] % block != 0) {
    return OpError("blocksize ", block, " does not divide the image ", in[2], "x", in[3]);
  }
  TANDEM_RETURN_IF_ERROR(CheckDims(in));
  // The channels may be many when another dimension is zero.
  if (in[1] > kMaxElements / (block * block)) return OpError("blocksize ", block, " is too large");
  return SetCheckedOutput(ctx, 0, ctx.type(0), {in[0], in[1] * block * block, in[2] / block, in[3] / block});
}

absl::Status SpaceToDepth(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  const int64_t block = ctx.attributes().Int("blocksize", 1);
  CopyTransposed(x, {x.dim(0), x.dim(1), x.dim(2) / block, block, x.dim(3) / block, block}, {0, 3, 5, 1, 2, 4},
                 ctx.output(0));
  return absl::OkStatus();
}

absl::Status InferConcat(InferContext& ctx) {
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    if (!ctx.has_input(i)) return OpError("input ", i, " is missing");
    if (ctx.type(i) != ctx.type(0)) {
      return OpError("input ", i, " is ", NameOf(ctx.type(i)), ", input 0 is ", NameOf(ctx.type(0)));
    }
  }
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  Shape shape = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(ctx.attributes().Int("axis", 0), static_cast<int64_t>(shape.size())));
  for (int i = 1; i < ctx.num_inputs(); ++i) {
    if (!ctx.has_shape(i)) return absl::OkStatus();
    Shape expected = ctx.shape(i);
    if (expected.size() == shape.size()) expected[axis] = shape[axis];
    if (expected != shape) {
      return OpError("input ", i, " of shape ", ToString(ctx.shape(i)), " does not continue ", ToString(ctx.shape(0)),
                     " on axis ", axis);
    }
    shape[axis] += ctx.shape(i)[axis];
    TANDEM_RETURN_IF_ERROR(CheckDims(shape));
  }
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status Concat(KernelContext& ctx) {
  Tensor& output = ctx.output(0);
  if (output.num_elements() == 0) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), output.rank()));
  const AxisView whole = ViewAround(output.shape(), axis);
  const size_t size = SizeOf(output.type());
  const size_t row = whole.length * whole.inner * size;
  char* target = static_cast<char*>(output.data());
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    const size_t run = ctx.input(i).dim(axis) * whole.inner * size;
    const char* source = static_cast<const char*>(ctx.input(i).data());
    if (run == 0) continue;
    for (int64_t outer = 0; outer < whole.outer; ++outer) std::memcpy(target + outer * row, source + outer * run, run);
    target += run;
  }
  return absl::OkStatus();
}

absl::StatusOr<Shape> TiledShape(const Shape& shape, absl::Span<const int64_t> repeats) {
  if (repeats.size() != shape.size()) {
    return OpError(repeats.size(), " repeats are given for the ", shape.size(), " axes of the input");
  }
  Shape tiled = shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (repeats[i] < 0 || (repeats[i] > 0 && shape[i] > kMaxElements / repeats[i])) {
      return OpError("cannot repeat axis ", i, " of ", ToString(shape), " ", repeats[i], " times");
    }
    tiled[i] *= repeats[i];
  }
  return tiled;
}

absl::Status InferTile(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto repeats, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!repeats.has_value() || !ctx.has_shape(0)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(Shape shape, TiledShape(ctx.shape(0), *repeats));
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status Tile(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, IntegersOf(ctx.input(1)));
  TANDEM_ASSIGN_OR_RETURN(const Shape tiled, TiledShape(input.shape(), repeats));
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, tiled));
  // Repeating an axis is walking over an extra one in front of it without moving in the source.
  const Shape strides = RowMajorStrides(input.shape());
  Shape shape;
  Shape source_strides;
  for (size_t i = 0; i < repeats.size(); ++i) {
    shape.insert(shape.end(), {repeats[i], input.shape()[i]});
    source_strides.insert(source_strides.end(), {0, strides[i]});
  }
  CopyStrided(input.data(), source_strides, ctx.output(0).data(), RowMajorStrides(shape), shape, SizeOf(input.type()));
  return absl::OkStatus();
}

absl::Status InferTrilu(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (ctx.has_input(1) && ctx.value(1) != nullptr) TANDEM_RETURN_IF_ERROR(ScalarInteger(*ctx.value(1), "k").status());
  if (!ctx.has_shape(0)) return absl::OkStatus();
  if (ctx.shape(0).size() < 2) return OpError("expected matrices, got shape ", ToString(ctx.shape(0)));
  return SetCheckedOutput(ctx, 0, ctx.type(0), ctx.shape(0));
}

absl::Status Trilu(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  const bool upper = ctx.attributes().Int("upper", 1) != 0;
  int64_t k = 0;
  if (ctx.has_input(1)) {
    TANDEM_ASSIGN_OR_RETURN(k, ScalarInteger(ctx.input(1), "k"));
  }
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t rows = x.dim(-2);
  const int64_t columns = x.dim(-1);
  const size_t size = SizeOf(x.type());
  const size_t row_bytes = columns * size;
  const char* source = static_cast<const char*>(x.data());
  char* target = static_cast<char*>(ctx.output(0).data());
  std::memcpy(target, source, x.num_bytes());
  for (int64_t row = 0; row < x.num_elements() / columns; ++row) {
    // Columns before the split lie under the diagonal that upper keeps; lower keeps one more.
    const int64_t split = std::clamp<int64_t>(row % rows + k + (upper ? 0 : 1), 0, columns);
    char* line = target + row * row_bytes;
    if (upper) {
      std::memset(line, 0, split * size);
    } else {
      std::memset(line + split * size, 0, (columns - split) * size);
    }
  }
  return absl::OkStatus();
}

absl::Status InferReverseSequence(InferContext& ctx) {
  const int64_t batch_axis = ctx.attributes().Int("batch_axis", 1);
  const int64_t time_axis = ctx.attributes().Int("time_axis", 0);
  if (batch_axis < 0 || batch_axis > 1 || time_axis != 1 - batch_axis) {
    return OpError("batch_axis ", batch_axis, " and time_axis ", time_axis, " must be 0 and 1 in some order");
  }
  TANDEM_RETURN_IF_ERROR(KnownIntegers(ctx, 1).status());
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& shape = ctx.shape(0);
  if (shape.size() < 2) return OpError("expected rank 2 or more, got shape ", ToString(shape));
  if (ctx.has_shape(1) && ctx.shape(1) != Shape{shape[batch_axis]}) {
    return OpError("sequence_lens has shape ", ToString(ctx.shape(1)), " for a batch of ", shape[batch_axis]);
  }
  ctx.SetOutput(0, ctx.type(0), shape);
  return absl::OkStatus();
}

absl::Status ReverseSequence(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  const int64_t batch_axis = ctx.attributes().Int("batch_axis", 1);
  const int64_t time = x.dim(1 - batch_axis);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> lengths, IntegersOf(ctx.input(1)));
  for (int64_t length : lengths) {
    if (length < 0 || length > time) return OpError("sequence length ", length, " is outside [0,", time, "]");
  }
  if (x.num_elements() == 0) return absl::OkStatus();
  const size_t run = NumElements(absl::MakeSpan(x.shape()).subspan(2)) * SizeOf(x.type());
  const char* source = static_cast<const char*>(x.data());
  char* target = static_cast<char*>(ctx.output(0).data());
  const int64_t batch_step = batch_axis == 0 ? time : 1;
  const int64_t time_step = batch_axis == 0 ? 1 : x.dim(1);
  for (int64_t b = 0; b < static_cast<int64_t>(lengths.size()); ++b) {
    for (int64_t t = 0; t < time; ++t) {
      const int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t;
      std::memcpy(target + (b * batch_step + t * time_step) * run, source + (b * batch_step + from * time_step) * run,
                  run);
    }
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Transpose", 1, 1, InferTranspose, Transpose},
    {"DepthToSpace", 1, 1, InferDepthToSpace, DepthToSpace},
    {"SpaceToDepth", 1, 1, InferSpaceToDepth, SpaceToDepth},
    {"Concat", 1, kVariadic, InferConcat, Concat},
    {"Tile", 2, 2, InferTile, Tile},
    {"Trilu", 1, 2, InferTrilu, Trilu},
    {"ReverseSequence", 2, 2, InferReverseSequence, ReverseSequence},
};

}  // namespace

absl::Span<const OpDef> LayoutOps() { return kOps; }

}  // namespace tandem::engine
