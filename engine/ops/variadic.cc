// Elementwise operators of any number of inputs: Max, Min, Sum, Mean.
#include <algorithm>

#include "engine/ops/arithmetic.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// NaN wins in both, whichever side it is on.
struct Max {
  template <typename T>
  T operator()(T a, T b) const {
    return b > a || b != b ? b : a;
  }
};

struct Min {
  template <typename T>
  T operator()(T a, T b) const {
    return b < a || b != b ? b : a;
  }
};

struct Sum {
  template <typename T>
  T operator()(T a, T b) const {
    return WrappingAdd(a, b);
  }
};

// Folds the inputs into the output, which starts as a copy of the first.
template <typename List, typename F>
absl::Status Fold(KernelContext& ctx) {
  return List::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    const Tensor& first = ctx.input(0);
    const Shape& shape = ctx.output(0).shape();
    T* y = ctx.output(0).template mutable_values<T>().data();
    const T* a = first.values<T>().data();
    if (ctx.num_inputs() == 1) {
      std::copy(a, a + first.num_elements(), y);
      return absl::OkStatus();
    }
    const Tensor& second = ctx.input(1);
    BroadcastBinary(first.shape(), a, second.shape(), second.values<T>().data(), shape, y, F());
    for (int i = 2; i < ctx.num_inputs(); ++i) {
      const Tensor& next = ctx.input(i);
      BroadcastBinary(shape, y, next.shape(), next.values<T>().data(), shape, y, F());
    }
    return absl::OkStatus();
  });
}

absl::Status Mean(KernelContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Fold<Floats, Sum>(ctx)));
  return Floats::Dispatch(ctx.output(0).type(), [&](auto t) {
    const auto count = static_cast<decltype(t)>(ctx.num_inputs());
    for (auto& y : ctx.output(0).mutable_values<decltype(t)>()) y /= count;
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"Max", 1, kVariadic, InferBinary<Numbers>, Fold<Numbers, Max>},
    {"Min", 1, kVariadic, InferBinary<Numbers>, Fold<Numbers, Min>},
    {"Sum", 1, kVariadic, InferBinary<Floats>, Fold<Floats, Sum>},
    {"Mean", 1, kVariadic, InferBinary<Floats>, Mean},
};

}  // namespace

absl::Span<const OpDef> VariadicOps() { return kOps; }

}  // namespace tandem::engine
