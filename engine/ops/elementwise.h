// What elementwise operators of one input share: inference of the same shape, and the loop.
#ifndef TANDEM_ENGINE_OPS_ELEMENTWISE_H_
#define TANDEM_ENGINE_OPS_ELEMENTWISE_H_

#include <optional>
#include <type_traits>

#include "engine/ops/op.h"
#include "engine/ops/types.h"

namespace tandem::engine {

// The shape of input `i` where it is known: what SetOutput takes.
inline std::optional<Shape> ShapeOf(const InferContext& ctx, int i) {
  return ctx.has_shape(i) ? std::optional<Shape>(ctx.shape(i)) : std::nullopt;
}

// Output 0 has the shape of input 0, whose type is in `List`, and its type unless one is given.
template <typename List, DataType kOutput = DataType::kUndefined>
absl::Status InferSame(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(List::Check(ctx.type(0)));
  ctx.SetOutput(0, kOutput == DataType::kUndefined ? ctx.type(0) : kOutput, ShapeOf(ctx, 0));
  return absl::OkStatus();
}

// Applies the function object F to every element of input 0, of a type in `List`. An F with parameters is made from the
// node's attributes.
template <typename List, typename F>
absl::Status MapKernel(KernelContext& ctx) {
  const F f = [&] {
    if constexpr (std::is_constructible_v<F, const Attributes&>)
      return F(ctx.attributes());
    else
      return F();
  }();
  return List::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    using R = decltype(f(t));
    const T* x = ctx.input(0).template values<T>().data();
    R* y = ctx.output(0).template mutable_values<R>().data();
    const int64_t count = ctx.input(0).num_elements();
    for (int64_t i = 0; i < count; ++i) y[i] = f(x[i]);
    return absl::OkStatus();
  });
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_ELEMENTWISE_H_
