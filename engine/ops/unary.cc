// Elementwise operators of one input.
#include <algorithm>

#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

absl::Status InferSame(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), ctx.has_shape(0) ? std::optional<Shape>(ctx.shape(0)) : std::nullopt);
  return absl::OkStatus();
}

absl::Status Relu(KernelContext& ctx) {
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t>(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    const auto x = ctx.input(0).values<T>();
    const auto y = ctx.output(0).mutable_values<T>();
    for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] > T{0} ? x[i] : T{0};
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"Relu", 1, 1, InferSame, Relu},
};

}  // namespace

absl::Span<const OpDef> UnaryOps() { return kOps; }

}  // namespace tandem::engine
