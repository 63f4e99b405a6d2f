#include "engine/ops/broadcast.h"

#include "engine/ops/dims.h"

namespace tandem::engine {

absl::StatusOr<std::optional<Shape>> BroadcastInputs(const InferContext& ctx, int first, int count) {
  Shape shape;
  for (int i = first; i < first + count; ++i) {
    if (!ctx.has_shape(i)) return std::nullopt;
    TANDEM_ASSIGN_OR_RETURN(shape, BroadcastShapes(shape, ctx.shape(i)));
  }
  TANDEM_RETURN_IF_ERROR(CheckDims(shape));
  return shape;
}

absl::Status InferBroadcast(InferContext& ctx, DataType output) {
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    if (!ctx.has_input(i)) return OpError("input ", i, " is missing");
    if (ctx.type(i) != ctx.type(0)) {
      return OpError("inputs 0 and ", i, " have types ", NameOf(ctx.type(0)), " and ", NameOf(ctx.type(i)));
    }
  }
  TANDEM_ASSIGN_OR_RETURN(std::optional<Shape> shape, BroadcastInputs(ctx, 0, ctx.num_inputs()));
  ctx.SetOutput(0, output == DataType::kUndefined ? ctx.type(0) : output, std::move(shape));
  return absl::OkStatus();
}

}  // namespace tandem::engine
