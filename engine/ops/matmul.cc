// MatMul and Gemm.
#include <algorithm>
#include <type_traits>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"
#include "engine/ops/gemm.h"
#include "engine/ops/matmul_shape.h"

namespace tandem::engine {

namespace {

// The type that products are computed in: signed integers wrap like unsigned ones.
template <typename T, bool kInteger = std::is_integral_v<T>>
struct ComputeTypeOf {
  using type = std::make_unsigned_t<T>;
};
template <typename T>
struct ComputeTypeOf<T, false> {
  using type = T;
};
template <typename T>
using ComputeType = typename ComputeTypeOf<T>::type;

template <typename F>
absl::Status DispatchNumeric(DataType type, F&& f) {
  return Dispatch<float, double, int32_t, int64_t, uint32_t, uint64_t>(type, std::forward<F>(f));
}

absl::Status CheckTypes(const InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(DispatchNumeric(ctx.type(0), [](auto) { return absl::OkStatus(); }));
  for (int i = 1; i < ctx.num_inputs(); ++i) {
    if (ctx.has_input(i) && ctx.type(i) != ctx.type(0)) {
      return OpError("inputs 0 and ", i, " have types ", NameOf(ctx.type(0)), " and ", NameOf(ctx.type(i)));
    }
  }
  return absl::OkStatus();
}

absl::Status InferMatMul(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckTypes(ctx));
  std::optional<Shape> output;
  if (ctx.has_shape(0) && ctx.has_shape(1)) {
    TANDEM_ASSIGN_OR_RETURN(MatMulShape shape, ShapeOfMatMul(ctx.shape(0), ctx.shape(1)));
    output = std::move(shape.output);
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

absl::Status MatMul(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const MatMulShape shape, ShapeOfMatMul(ctx.input(0).shape(), ctx.input(1).shape()));
  return DispatchNumeric(ctx.input(0).type(), [&](auto t) {
    using T = ComputeType<decltype(t)>;
    const T* a = static_cast<const T*>(ctx.input(0).data());
    const T* b = static_cast<const T*>(ctx.input(1).data());
    T* c = static_cast<T*>(ctx.output(0).data());
    std::fill_n(c, ctx.output(0).num_elements(), T{0});
    const int64_t count = NumElements(shape.batch);
    if (NumElements(shape.b_batch) == 1 && NumElements(shape.a_batch) == count) {  // one tall product
      MultiplyAdd<T>(count * shape.m, shape.n, shape.k, {a, shape.k}, {b, shape.n}, c, shape.n);
      return absl::OkStatus();
    }
    for (int64_t i = 0; i < count; ++i) {
      const T* x = a + OperandIndex(i, shape.batch, shape.a_batch) * shape.m * shape.k;
      const T* y = b + OperandIndex(i, shape.batch, shape.b_batch) * shape.k * shape.n;
      MultiplyAdd<T>(shape.m, shape.n, shape.k, {x, shape.k}, {y, shape.n}, c + i * shape.m * shape.n, shape.n);
    }
    return absl::OkStatus();
  });
}

absl::Status InferGemm(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckTypes(ctx));
  std::optional<Shape> output;
  if (ctx.has_shape(0) && ctx.has_shape(1)) {
    const Shape& a = ctx.shape(0);
    const Shape& b = ctx.shape(1);
    if (a.size() != 2 || b.size() != 2) return OpError("Gemm of ", ToString(a), " and ", ToString(b), ": not matrices");
    const bool trans_a = ctx.attributes().Int("transA", 0) != 0;
    const bool trans_b = ctx.attributes().Int("transB", 0) != 0;
    if (a[trans_a ? 0 : 1] != b[trans_b ? 1 : 0]) {
      return OpError("Gemm of ", ToString(a), trans_a ? "^T" : "", " and ", ToString(b), trans_b ? "^T" : "",
                     ": inner dimensions differ");
    }
    output = Shape{a[trans_a ? 1 : 0], b[trans_b ? 0 : 1]};
    TANDEM_RETURN_IF_ERROR(CheckElementCount(*output));
    if (ctx.has_input(2) && ctx.has_shape(2)) {
      TANDEM_ASSIGN_OR_RETURN(const Shape with_c, BroadcastShapes(*output, ctx.shape(2)));
      if (with_c != *output) return OpError("C ", ToString(ctx.shape(2)), " does not fit ", ToString(*output));
    }
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

// alpha * value in T; integers go through double, for alpha is a float.
template <typename T>
T Scaled(float alpha, T value) {
  if constexpr (std::is_integral_v<T>) {
    if (alpha == 1.0f) return value;
    const double scaled = static_cast<double>(alpha) * static_cast<double>(value);
    constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double kHigh = static_cast<double>(std::numeric_limits<T>::max());
    if (!(scaled > kLow)) return std::numeric_limits<T>::min();
    return scaled < kHigh ? static_cast<T>(scaled) : std::numeric_limits<T>::max();
  } else {
    return static_cast<T>(alpha) * value;
  }
}

// y += beta * c, c broadcast to y's two dimensions.
template <typename T>
void AddBias(const Tensor& c, float beta, Tensor& y) {
  using U = ComputeType<T>;
  const int64_t rows = y.dim(0);
  const int64_t columns = y.dim(1);
  const int64_t c_columns = c.rank() == 0 ? 1 : c.dim(-1);
  const int64_t c_rows = c.rank() < 2 ? 1 : c.dim(0);
  const T* source = c.values<T>().data();
  T* target = y.mutable_values<T>().data();
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = source + (c_rows == 1 ? 0 : i * c_columns);
    for (int64_t j = 0; j < columns; ++j) {
      const T bias = Scaled<T>(beta, row[c_columns == 1 ? 0 : j]);
      target[i * columns + j] = static_cast<T>(static_cast<U>(target[i * columns + j]) + static_cast<U>(bias));
    }
  }
}

absl::Status Gemm(KernelContext& ctx) {
  const Tensor& a = ctx.input(0);
  const Tensor& b = ctx.input(1);
  Tensor& y = ctx.output(0);
  const bool trans_a = ctx.attributes().Int("transA", 0) != 0;
  const bool trans_b = ctx.attributes().Int("transB", 0) != 0;
  const float alpha = ctx.attributes().Float("alpha", 1.0f);
  const int64_t k = a.dim(trans_a ? 0 : 1);
  return DispatchNumeric(a.type(), [&](auto t) {
    using T = decltype(t);
    using U = ComputeType<T>;
    const MatrixView<U> left{static_cast<const U*>(a.data()), trans_a ? 1 : a.dim(1), trans_a ? a.dim(1) : 1};
    const MatrixView<U> right{static_cast<const U*>(b.data()), trans_b ? 1 : b.dim(1), trans_b ? b.dim(1) : 1};
    const auto values = y.template mutable_values<T>();
    std::fill(values.begin(), values.end(), T{0});
    MultiplyAdd<U>(y.dim(0), y.dim(1), k, left, right, static_cast<U*>(y.data()), y.dim(1));
    if (alpha != 1.0f) {
      for (T& value : values) value = Scaled<T>(alpha, value);
    }
    if (ctx.has_input(2) && !values.empty()) AddBias<T>(ctx.input(2), ctx.attributes().Float("beta", 1.0f), y);
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"MatMul", 2, 2, InferMatMul, MatMul},
    {"Gemm", 2, 3, InferGemm, Gemm},
};

}  // namespace

absl::Span<const OpDef> MatmulOps() { return kOps; }

}  // namespace tandem::engine
