// Softmax, LogSoftmax and Hardmax along one axis.
#include "engine/ops/softmax.h"

#include "engine/ops/dims.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// The axis to normalize over. Opset 12 and before flattened to two dimensions at `axis` and normalized over the second.
absl::StatusOr<AxisView> ViewOf(const Attributes& attributes, const Shape& shape) {
  const bool flatten = attributes.Int("coerce_2d", 0) != 0;
  const int64_t rank = static_cast<int64_t>(shape.size());
  const int64_t given = attributes.Int("axis", flatten ? 1 : -1);
  if (flatten && given == rank) return AxisView{NumElements(shape), 1, 1};
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(given, rank));
  const AxisView view = ViewAround(shape, axis);
  return flatten ? AxisView{view.outer, view.length * view.inner, 1} : view;
}

absl::Status InferSoftmax(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  if (ctx.has_shape(0)) TANDEM_RETURN_IF_ERROR(ViewOf(ctx.attributes(), ctx.shape(0)).status());
  return absl::OkStatus();
}

// Calls `f(x, y, view)` with the elements of input and output.
template <typename F>
absl::Status Normalize(KernelContext& ctx, F&& f) {
  TANDEM_ASSIGN_OR_RETURN(const AxisView view, ViewOf(ctx.attributes(), ctx.input(0).shape()));
  if (ctx.input(0).num_elements() == 0) return absl::OkStatus();
  return Floats::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    f(ctx.input(0).values<T>().data(), ctx.output(0).mutable_values<T>().data(), view);
    return absl::OkStatus();
  });
}

absl::Status Softmax(KernelContext& ctx) {
  return Normalize(ctx, [](const auto* x, auto* y, const AxisView& view) { SoftmaxOf(x, y, view); });
}

absl::Status LogSoftmax(KernelContext& ctx) {
  return Normalize(ctx, [](const auto* x, auto* y, const AxisView& view) { LogSoftmaxOf(x, y, view); });
}

// One at the first maximum, zero elsewhere.
template <typename T>
void HardmaxOf(const T* x, T* y, const AxisView& view) {
  std::fill(y, y + view.outer * view.length * view.inner, T{0});
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t inner = 0; inner < view.inner; ++inner) {
      const int64_t base = outer * view.length * view.inner + inner;
      int64_t best = base;
      for (int64_t k = 1; k < view.length; ++k) {
        if (x[base + k * view.inner] > x[best]) best = base + k * view.inner;
      }
      y[best] = T{1};
    }
  }
}

absl::Status Hardmax(KernelContext& ctx) {
  return Normalize(ctx, [](const auto* x, auto* y, const AxisView& view) { HardmaxOf(x, y, view); });
}

constexpr OpDef kOps[] = {
    {"Softmax", 1, 1, InferSoftmax, Softmax},
    {"LogSoftmax", 1, 1, InferSoftmax, LogSoftmax},
    {"Hardmax", 1, 1, InferSoftmax, Hardmax},
};

}  // namespace

absl::Span<const OpDef> SoftmaxOps() { return kOps; }

}  // namespace tandem::engine
