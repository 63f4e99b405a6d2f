// Operators that walk along one axis: ArgMax, ArgMin, CumSum, CumProd.
#include <vector>

#include "engine/ops/arithmetic.h"
#include "engine/ops/dims.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

absl::Status InferArg(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(Numbers::Check(ctx.type(0)));
  ctx.SetOutput(0, DataType::kInt64, std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  Shape shape = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), shape.size()));
  if (shape[axis] == 0) return OpError("axis ", axis, " of ", ToString(shape), " has no elements to choose from");
  if (ctx.attributes().Int("keepdims", 1) != 0)
    shape[axis] = 1;
  else
    shape.erase(shape.begin() + axis);
  ctx.SetOutput(0, DataType::kInt64, std::move(shape));
  return absl::OkStatus();
}

// Whether `a` takes the place of the best so far. NaN is the most extreme, as in NumPy; `kLast` lets equals replace.
template <bool kMax, bool kLast, typename T>
bool Beats(T a, T best) {
  if (a != a) return kLast || best == best;
  if constexpr (kMax) return kLast ? a >= best : a > best;
  return kLast ? a <= best : a < best;
}

template <bool kMax, bool kLast, typename T>
void FindExtremes(const AxisView& view, const T* x, int64_t* index) {
  std::vector<T> best(view.inner);
  for (int64_t outer = 0; outer < view.outer; ++outer, index += view.inner) {
    const T* row = x + outer * view.length * view.inner;
    std::copy(row, row + view.inner, best.begin());
    std::fill(index, index + view.inner, 0);
    for (int64_t k = 1; k < view.length; ++k) {
      row += view.inner;
      for (int64_t i = 0; i < view.inner; ++i) {
        if (!Beats<kMax, kLast>(row[i], best[i])) continue;
        best[i] = row[i];
        index[i] = k;
      }
    }
  }
}

template <bool kMax>
absl::Status Arg(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), x.rank()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const AxisView view = ViewAround(x.shape(), axis);
  const bool last = ctx.attributes().Int("select_last_index", 0) != 0;
  return Numbers::Dispatch(x.type(), [&](auto t) {
    const auto* from = x.values<decltype(t)>().data();
    int64_t* index = ctx.output(0).mutable_values<int64_t>().data();
    if (last)
      FindExtremes<kMax, true>(view, from, index);
    else
      FindExtremes<kMax, false>(view, from, index);
    return absl::OkStatus();
  });
}

using CumulativeTypes = Types<float, double, int32_t, int64_t, uint32_t, uint64_t>;

// The axis that input 1, one integer, names.
absl::StatusOr<int64_t> AxisOf(const Tensor& axis, int64_t rank) {
  if (axis.num_elements() != 1) return OpError("axis must be a scalar, has shape ", ToString(axis.shape()));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> value, IntegersOf(axis));
  return NormalizeAxis(value[0], rank);
}

absl::Status InferCumulative(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<CumulativeTypes>(ctx));
  if (ctx.has_shape(0) && ctx.value(1) != nullptr) return AxisOf(*ctx.value(1), ctx.shape(0).size()).status();
  return absl::OkStatus();
}

struct Plus {
  template <typename T>
  static constexpr T kInit = T{0};
  template <typename T>
  static T Join(T a, T b) {
    return WrappingAdd(a, b);
  }
};

struct Times {
  template <typename T>
  static constexpr T kInit = T{1};
  template <typename T>
  static T Join(T a, T b) {
    return WrappingMul(a, b);
  }
};

struct CumulativeOptions {
  bool exclusive = false;
  bool reverse = false;
};

template <typename F, typename T>
void Accumulate(const AxisView& view, const CumulativeOptions& options, const T* x, T* y) {
  const int64_t step = options.reverse ? -view.inner : view.inner;
  const int64_t first = options.reverse ? (view.length - 1) * view.inner : 0;
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    int64_t at = outer * view.length * view.inner + first;
    for (int64_t i = 0; i < view.inner; ++i) y[at + i] = options.exclusive ? F::template kInit<T> : x[at + i];
    for (int64_t k = 1; k < view.length; ++k) {
      const int64_t previous = at;
      at += step;
      const T* next = x + (options.exclusive ? previous : at);
      for (int64_t i = 0; i < view.inner; ++i) y[at + i] = F::Join(y[previous + i], next[i]);
    }
  }
}

template <typename F>
absl::Status Cumulative(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, AxisOf(ctx.input(1), x.rank()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const CumulativeOptions options{.exclusive = ctx.attributes().Int("exclusive", 0) != 0,
                                  .reverse = ctx.attributes().Int("reverse", 0) != 0};
  return CumulativeTypes::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    Accumulate<F>(ViewAround(x.shape(), axis), options, x.values<T>().data(), ctx.output(0).mutable_values<T>().data());
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"ArgMax", 1, 1, InferArg, Arg<true>},
    {"ArgMin", 1, 1, InferArg, Arg<false>},
    {"CumSum", 2, 2, InferCumulative, Cumulative<Plus>},
    {"CumProd", 2, 2, InferCumulative, Cumulative<Times>},
};

}  // namespace

absl::Span<const OpDef> ScanAxisOps() { return kOps; }

}  // namespace tandem::engine
