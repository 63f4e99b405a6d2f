// MaxUnpool: puts what MaxPool kept back to where it was, zeros elsewhere.
#include <algorithm>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// The attributes of a pool and of its inverse mean the same; the inverse's size is that of ConvTranspose.
absl::StatusOr<Shape> InverseShape(const Attributes& attributes, const Shape& x) {
  if (x.size() < 3 || x.size() > 5) return OpError("input ", ToString(x), " has not one to three spatial axes");
  const auto kernel = attributes.Ints("kernel_shape");
  if (kernel.empty()) return OpError("kernel_shape is missing");
  Attributes own;
  if (attributes.Has("strides")) own.Set("strides", attributes.Ints("strides"));
  if (attributes.Has("pads")) own.Set("pads", attributes.Ints("pads"));
  TANDEM_ASSIGN_OR_RETURN(const Window window, ConvTransposeWindow(own, absl::MakeConstSpan(x).subspan(2), kernel));
  Shape shape = {x[0], x[1]};
  for (const WindowAxis& axis : window) shape.push_back(axis.input);
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape));
  return shape;
}

absl::StatusOr<Shape> GivenShape(const Tensor& tensor, const Shape& inverse) {
  TANDEM_ASSIGN_OR_RETURN(const auto dims, IntegersOf(tensor));
  const Shape shape(dims.begin(), dims.end());
  if (shape.size() != inverse.size()) {
    return OpError("output_shape ", ToString(shape), " has not the rank of ", ToString(inverse));
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < inverse[i]) return OpError("output_shape ", ToString(shape), " is smaller than ", ToString(inverse));
  }
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape));
  return shape;
}

}  // namespace

absl::Status InferMaxUnpool(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(0), [](auto) { return absl::OkStatus(); })));
  if (ctx.type(1) != DataType::kInt64) return OpError("indices are ", NameOf(ctx.type(1)), ", not int64");
  std::optional<Shape> output;
  if (ctx.has_shape(0)) {
    if (ctx.has_shape(1) && ctx.shape(1) != ctx.shape(0)) {
      return OpError("indices are ", ToString(ctx.shape(1)), ", the input ", ToString(ctx.shape(0)));
    }
    TANDEM_ASSIGN_OR_RETURN(Shape shape, InverseShape(ctx.attributes(), ctx.shape(0)));
    if (!ctx.has_input(2)) {
      output = std::move(shape);
    } else if (ctx.value(2) != nullptr) {
      TANDEM_ASSIGN_OR_RETURN(output, GivenShape(*ctx.value(2), shape));
    }
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

absl::Status MaxUnpool(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  Tensor& y = ctx.output(0);
  // Indices count in the pool's own input; a larger output_shape adds space after it on each axis.
  TANDEM_ASSIGN_OR_RETURN(const Shape inverse, InverseShape(ctx.attributes(), x.shape()));
  const int64_t limit = NumElements(inverse);
  const auto indices = ctx.input(1).values<int64_t>();
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const auto source = x.values<T>();
    const auto target = y.template mutable_values<T>();
    std::fill(target.begin(), target.end(), T{0});
    for (size_t i = 0; i < source.size(); ++i) {
      int64_t rest = indices[i];
      if (rest < 0 || rest >= limit) return OpError("index ", rest, " is outside [0,", limit, ")");
      int64_t at = 0;
      int64_t stride = 1;
      for (int64_t axis = y.rank() - 1; axis >= 0; --axis) {
        at += rest % inverse[axis] * stride;
        rest /= inverse[axis];
        stride *= y.dim(axis);
      }
      target[at] = source[i];
    }
    return absl::OkStatus();
  });
}

}  // namespace tandem::engine
