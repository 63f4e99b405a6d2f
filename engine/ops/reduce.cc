// Reductions over sets of axes: sums, means, extremes, norms.
#include <cmath>
#include <limits>

#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/reduce_loops.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

namespace {

// Which axes of a tensor of `rank` are reduced; `axes` is null or the input that lists them.
absl::StatusOr<std::vector<bool>> ReducedAxes(const Attributes& attributes, int64_t rank, const Tensor* axes) {
  if (axes == nullptr || axes->num_elements() == 0) {
    return std::vector<bool>(rank, attributes.Int("noop_with_empty_axes", 0) == 0);
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> listed, IntegersOf(*axes));
  std::vector<bool> reduced(rank, false);
  for (int64_t axis : listed) {
    TANDEM_ASSIGN_OR_RETURN(axis, NormalizeAxis(axis, rank));
    reduced[axis] = true;
  }
  return reduced;
}

Shape ReducedShape(const Shape& shape, const std::vector<bool>& reduced, bool keep_axes) {
  Shape out;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (!reduced[axis])
      out.push_back(shape[axis]);
    else if (keep_axes)
      out.push_back(1);
  }
  return out;
}

template <typename List>
absl::Status InferReduce(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(List::Check(ctx.type(0)));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (ctx.has_input(1) && ctx.type(1) != DataType::kInt64 && ctx.type(1) != DataType::kInt32) {
    return OpError("axes are ", NameOf(ctx.type(1)), ", not int64");
  }
  if (!ctx.has_shape(0) || (ctx.has_input(1) && ctx.value(1) == nullptr)) return absl::OkStatus();
  const Shape& in = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                          ReducedAxes(ctx.attributes(), in.size(), ctx.has_input(1) ? ctx.value(1) : nullptr));
  ctx.SetOutput(0, ctx.type(0), ReducedShape(in, reduced, ctx.attributes().Int("keepdims", 1) != 0));
  return absl::OkStatus();
}

// A reducer has the value of an empty set, what is done to each element, how two are joined, and what is done to the
// result for `count` elements.
struct SumReducer {
  template <typename T>
  static constexpr T kInit = T{0};
  template <typename T>
  static T Map(T x) {
    return x;
  }
  template <typename T>
  static T Join(T a, T b) {
    return WrappingAdd(a, b);
  }
  template <typename T>
  static T Finish(T total, int64_t count) {
    return total;
  }
};

struct MeanReducer : SumReducer {
  template <typename T>
  static T Finish(T total, int64_t count) {
    return SafeDiv(total, static_cast<T>(count));
  }
};

struct SumSquareReducer : SumReducer {
  template <typename T>
  static T Map(T x) {
    return WrappingMul(x, x);
  }
};

struct L1Reducer : SumReducer {
  template <typename T>
  static T Map(T x) {
    if constexpr (std::is_floating_point_v<T>) return std::abs(x);
    return x < T{0} ? WrappingSub(T{0}, x) : x;
  }
};

struct L2Reducer : SumSquareReducer {
  template <typename T>
  static T Finish(T total, int64_t count) {
    if constexpr (std::is_floating_point_v<T>) return std::sqrt(total);
    return ConvertTo<T>(std::sqrt(static_cast<double>(total)));
  }
};

struct LogSumReducer : SumReducer {
  template <typename T>
  static T Finish(T total, int64_t count) {
    return std::log(total);
  }
};

struct ProdReducer : SumReducer {
  template <typename T>
  static constexpr T kInit = T{1};
  template <typename T>
  static T Join(T a, T b) {
    return WrappingMul(a, b);
  }
};

// NaN wins in both extremes.
struct MaxReducer : SumReducer {
  template <typename T>
  static constexpr T kInit = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                                  : std::numeric_limits<T>::lowest();
  template <typename T>
  static T Join(T a, T b) {
    return b > a || b != b ? b : a;
  }
};

struct MinReducer : SumReducer {
  template <typename T>
  static constexpr T kInit = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                                  : std::numeric_limits<T>::max();
  template <typename T>
  static T Join(T a, T b) {
    return b < a || b != b ? b : a;
  }
};

template <typename R, typename T>
void Reduce(const ReduceLoops& loops, const T* x, absl::Span<T> y) {
  const int64_t row = loops.row();
  std::fill(y.begin(), y.end(), R::template kInit<T>);
  const auto map = [](T a) { return R::Map(a); };
  const auto join = [](T a, T b) { return R::Join(a, b); };
  loops.ForEachRow([&](int64_t in, int64_t out) {
    if (loops.folds_rows()) {
      y[out] = join(y[out], FoldRow(x + in, row, R::template kInit<T>, map, join));
      return;
    }
    const T* from = x + in;
    T* to = y.data() + out;
    for (int64_t i = 0; i < row; ++i) to[i] = join(to[i], map(from[i]));
  });
  for (T& total : y) total = R::Finish(total, loops.count());
}

template <typename List, typename R>
absl::Status ReduceKernel(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                          ReducedAxes(ctx.attributes(), x.rank(), ctx.has_input(1) ? &ctx.input(1) : nullptr));
  const ReduceLoops loops(x.shape(), reduced);
  return List::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    Reduce<R>(loops, x.values<T>().data(), ctx.output(0).mutable_values<T>());
    return absl::OkStatus();
  });
}

// Shifted by the maximum, so that nothing overflows; a maximum of infinity is the result itself.
template <typename T>
void LogSumExpOf(const ReduceLoops& loops, const T* x, absl::Span<T> y) {
  Reduce<MaxReducer>(loops, x, y);
  std::vector<T> shift(y.begin(), y.end());
  for (T& m : shift) m = std::isfinite(m) ? m : T{0};
  std::vector<T> sums(y.size(), T{0});
  loops.ForEachRow([&](int64_t in, int64_t out) {
    const int64_t row = loops.row();
    if (loops.folds_rows()) {
      const T m = shift[out];
      sums[out] += FoldRow(
          x + in, row, T{0}, [m](T a) { return VectorExp(a - m); }, [](T a, T b) { return a + b; });
      return;
    }
    for (int64_t i = 0; i < row; ++i) sums[out + i] += VectorExp(x[in + i] - shift[out + i]);
  });
  for (size_t i = 0; i < y.size(); ++i) y[i] = std::log(sums[i]) + shift[i];
}

absl::Status ReduceLogSumExp(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                          ReducedAxes(ctx.attributes(), x.rank(), ctx.has_input(1) ? &ctx.input(1) : nullptr));
  const ReduceLoops loops(x.shape(), reduced);
  return Floats::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    LogSumExpOf(loops, x.values<T>().data(), ctx.output(0).mutable_values<T>());
    return absl::OkStatus();
  });
}

using Wide = Types<float, double, int32_t, int64_t, uint32_t, uint64_t>;

constexpr OpDef kOps[] = {
    {"ReduceSum", 1, 2, InferReduce<Wide>, ReduceKernel<Wide, SumReducer>},
    {"ReduceMean", 1, 2, InferReduce<Wide>, ReduceKernel<Wide, MeanReducer>},
    {"ReduceMax", 1, 2, InferReduce<NumbersAndBool>, ReduceKernel<NumbersAndBool, MaxReducer>},
    {"ReduceMin", 1, 2, InferReduce<NumbersAndBool>, ReduceKernel<NumbersAndBool, MinReducer>},
    {"ReduceProd", 1, 2, InferReduce<Wide>, ReduceKernel<Wide, ProdReducer>},
    {"ReduceSumSquare", 1, 2, InferReduce<Wide>, ReduceKernel<Wide, SumSquareReducer>},
    {"ReduceL1", 1, 2, InferReduce<Wide>, ReduceKernel<Wide, L1Reducer>},
    {"ReduceL2", 1, 2, InferReduce<Wide>, ReduceKernel<Wide, L2Reducer>},
    {"ReduceLogSum", 1, 2, InferReduce<Floats>, ReduceKernel<Floats, LogSumReducer>},
    {"ReduceLogSumExp", 1, 2, InferReduce<Floats>, ReduceLogSumExp},
};

}  // namespace

absl::Span<const OpDef> ReduceOps() { return kOps; }

}  // namespace tandem::engine
