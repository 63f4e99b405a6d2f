// Matrix products of quantized numbers: MatMulInteger, also with its sums cast to float32, and QLinearMatMul.
#include <vector>

#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/gemm.h"
#include "engine/ops/matmul_shape.h"
#include "engine/ops/quantize.h"

namespace tandem::engine {

namespace {

using Bytes = Types<int8_t, uint8_t>;

// A scale or zero point of one operand: one for all of it, one for each line (row of the left, column of the right
// operand), or one for each line of each matrix of its batch.
struct PerLine {
  // Which of the values belongs to `line` of matrix `matrix`.
  int64_t Index(int64_t matrix, int64_t line) const {
    return (per_matrix ? matrix * lines : 0) + (per_line ? line : 0);
  }
  int64_t lines = 1;
  bool per_line = false;
  bool per_matrix = false;
};

absl::StatusOr<PerLine> PerLineOf(absl::string_view what, const Shape& shape, int64_t matrices, int64_t lines) {
  const int64_t count = NumElements(shape);
  if (count == 1) return PerLine{};
  if (count == lines) return PerLine{.lines = lines, .per_line = true};
  if (count == matrices * lines) return PerLine{.lines = lines, .per_line = true, .per_matrix = true};
  return OpError(what, " has shape ", ToString(shape), ", expected one element, ", lines, ", or ", lines,
                 " for each of ", matrices, " matrices");
}

// Where one operand's values, zero points and scales are among the inputs; -1 for none.
struct OperandInputs {
  int value;
  int scale;
  int zero_point;
};

// The operands of a product, whichever of the two operators it is of.
struct Product {
  OperandInputs a;
  OperandInputs b;
  // QLinearMatMul's result.
  int y_scale = -1;
  int y_zero_point = -1;
};
constexpr Product kMatMulInteger{.a = {0, -1, 2}, .b = {1, -1, 3}};
constexpr Product kQLinearMatMul{.a = {0, 1, 2}, .b = {3, 4, 5}, .y_scale = 6, .y_zero_point = 7};

absl::Status CheckOperand(const InferContext& ctx, const OperandInputs& inputs, int64_t matrices, int64_t lines) {
  for (int i : {inputs.scale, inputs.zero_point}) {
    if (i < 0 || !ctx.has_input(i) || !ctx.has_shape(i)) continue;
    TANDEM_RETURN_IF_ERROR(PerLineOf(absl::StrCat("input ", i), ctx.shape(i), matrices, lines).status());
  }
  return absl::OkStatus();
}

absl::Status CheckOperandTypes(const InferContext& ctx, const OperandInputs& inputs) {
  TANDEM_RETURN_IF_ERROR(Bytes::Check(ctx.type(inputs.value)));
  if (inputs.scale >= 0) TANDEM_RETURN_IF_ERROR(Types<float>::Check(ctx.type(inputs.scale)));
  if (ctx.has_input(inputs.zero_point) && ctx.type(inputs.zero_point) != ctx.type(inputs.value)) {
    return OpError("the zero point of input ", inputs.value, " is ", NameOf(ctx.type(inputs.zero_point)), ", not ",
                   NameOf(ctx.type(inputs.value)));
  }
  return absl::OkStatus();
}

absl::Status InferProduct(InferContext& ctx, const Product& product, DataType output) {
  TANDEM_RETURN_IF_ERROR(CheckOperandTypes(ctx, product.a));
  TANDEM_RETURN_IF_ERROR(CheckOperandTypes(ctx, product.b));
  ctx.SetOutput(0, output, std::nullopt);
  if (!ctx.has_shape(product.a.value) || !ctx.has_shape(product.b.value)) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const MatMulShape shape,
                          ShapeOfMatMul(ctx.shape(product.a.value), ctx.shape(product.b.value)));
  TANDEM_RETURN_IF_ERROR(CheckOperand(ctx, product.a, NumElements(shape.a_batch), shape.m));
  TANDEM_RETURN_IF_ERROR(CheckOperand(ctx, product.b, NumElements(shape.b_batch), shape.n));
  ctx.SetOutput(0, output, shape.output);
  return absl::OkStatus();
}

absl::Status InferMatMulInteger(InferContext& ctx) { return InferProduct(ctx, kMatMulInteger, DataType::kInt32); }

absl::Status InferQLinearMatMul(InferContext& ctx) {
  const DataType type = ctx.type(kQLinearMatMul.y_zero_point);
  TANDEM_RETURN_IF_ERROR(Bytes::Check(type));
  TANDEM_RETURN_IF_ERROR(Types<float>::Check(ctx.type(kQLinearMatMul.y_scale)));
  for (int i : {kQLinearMatMul.y_scale, kQLinearMatMul.y_zero_point}) {
    if (ctx.has_shape(i) && NumElements(ctx.shape(i)) != 1) {
      return OpError("input ", i, " must be a scalar, has shape ", ToString(ctx.shape(i)));
    }
  }
  return InferProduct(ctx, kQLinearMatMul, type);
}

// The operand's values less their zero points. Unsigned, so that sums of products wrap around instead of overflowing;
// `line_step` and `lines` say which elements share a zero point: element i is of line i / line_step % lines.
absl::StatusOr<std::vector<uint32_t>> Centered(const KernelContext& ctx, const OperandInputs& inputs, int64_t matrices,
                                               int64_t lines, int64_t line_step) {
  const Tensor& x = ctx.input(inputs.value);
  std::vector<uint32_t> centered(x.num_elements());
  const bool has_zero = ctx.has_input(inputs.zero_point);
  PerLine per_line;
  if (has_zero) {
    TANDEM_ASSIGN_OR_RETURN(per_line, PerLineOf("zero point", ctx.input(inputs.zero_point).shape(), matrices, lines));
  }
  TANDEM_RETURN_IF_ERROR(Bytes::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* values = x.values<T>().data();
    const T* zeros = has_zero ? ctx.input(inputs.zero_point).values<T>().data() : nullptr;
    const int64_t matrix = matrices > 0 ? x.num_elements() / matrices : 1;
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      const int32_t zero = has_zero ? zeros[per_line.Index(i / matrix, i / line_step % lines)] : 0;
      centered[i] = static_cast<uint32_t>(values[i] - zero);
    }
    return absl::OkStatus();
  }));
  return centered;
}

// Calls `f(product of m x n, index, index of the left matrix, index of the right one)` for every matrix of the result.
template <typename F>
absl::Status ForEachProduct(const KernelContext& ctx, const Product& product, const MatMulShape& shape, F&& f) {
  if (NumElements(shape.output) == 0) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const std::vector<uint32_t> a,
                          Centered(ctx, product.a, NumElements(shape.a_batch), shape.m, shape.k));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<uint32_t> b,
                          Centered(ctx, product.b, NumElements(shape.b_batch), shape.n, 1));
  std::vector<uint32_t> c(shape.m * shape.n);
  for (int64_t i = 0; i < NumElements(shape.batch); ++i) {
    const int64_t left = OperandIndex(i, shape.batch, shape.a_batch);
    const int64_t right = OperandIndex(i, shape.batch, shape.b_batch);
    std::fill(c.begin(), c.end(), 0);
    MultiplyAdd<uint32_t>(shape.m, shape.n, shape.k, {a.data() + left * shape.m * shape.k, shape.k},
                          {b.data() + right * shape.k * shape.n, shape.n}, c.data(), shape.n);
    f(c, i, left, right);
  }
  return absl::OkStatus();
}

// MatMulInteger with sums of type T.
template <typename T>
absl::Status MultiplyIntegers(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const MatMulShape shape, ShapeOfMatMul(ctx.input(0).shape(), ctx.input(1).shape()));
  T* y = ctx.output(0).mutable_values<T>().data();
  return ForEachProduct(ctx, kMatMulInteger, shape,
                        [&](const std::vector<uint32_t>& c, int64_t i, int64_t left, int64_t right) {
                          for (size_t k = 0; k < c.size(); ++k)
                            y[i * c.size() + k] = static_cast<T>(static_cast<int32_t>(c[k]));
                        });
}

absl::Status MatMulInteger(KernelContext& ctx) { return MultiplyIntegers<int32_t>(ctx); }

absl::Status InferMatMulIntegerToFloat(InferContext& ctx) {
  return InferProduct(ctx, kMatMulInteger, DataType::kFloat32);
}

absl::Status MatMulIntegerToFloat(KernelContext& ctx) { return MultiplyIntegers<float>(ctx); }

absl::Status QLinearMatMul(KernelContext& ctx) {
  const Tensor& a_scale = ctx.input(kQLinearMatMul.a.scale);
  const Tensor& b_scale = ctx.input(kQLinearMatMul.b.scale);
  TANDEM_ASSIGN_OR_RETURN(const MatMulShape shape, ShapeOfMatMul(ctx.input(0).shape(), ctx.input(3).shape()));
  TANDEM_ASSIGN_OR_RETURN(const PerLine rows,
                          PerLineOf("a_scale", a_scale.shape(), NumElements(shape.a_batch), shape.m));
  TANDEM_ASSIGN_OR_RETURN(const PerLine columns,
                          PerLineOf("b_scale", b_scale.shape(), NumElements(shape.b_batch), shape.n));
  const float* a = a_scale.values<float>().data();
  const float* b = b_scale.values<float>().data();
  const float y_scale = ctx.input(kQLinearMatMul.y_scale).values<float>()[0];
  return Bytes::Dispatch(ctx.output(0).type(), [&](auto q) {
    using Q = decltype(q);
    const Quantizer<Q> quantizer(ctx.input(kQLinearMatMul.y_zero_point).values<Q>()[0]);
    Q* y = ctx.output(0).mutable_values<Q>().data();
    return ForEachProduct(
        ctx, kQLinearMatMul, shape, [&](const std::vector<uint32_t>& c, int64_t i, int64_t left, int64_t right) {
          const int64_t size = shape.m * shape.n;
          for (int64_t k = 0; k < size; ++k) {
            const float scale = a[rows.Index(left, k / shape.n)] * b[columns.Index(right, k % shape.n)] / y_scale;
            y[i * size + k] = quantizer(static_cast<float>(static_cast<int32_t>(c[k])) * scale);
          }
        });
  });
}

constexpr OpDef kOps[] = {
    {"MatMulInteger", 2, 4, InferMatMulInteger, MatMulInteger},
    {"QLinearMatMul", 8, 8, InferQLinearMatMul, QLinearMatMul},
    {"tandem.MatMulIntegerToFloat", 2, 4, InferMatMulIntegerToFloat, MatMulIntegerToFloat},
};

}  // namespace

absl::Span<const OpDef> IntegerMatmulOps() { return kOps; }

}  // namespace tandem::engine
