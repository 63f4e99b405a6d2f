// Determinants.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

absl::Status InferDet(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& shape = ctx.shape(0);
  if (shape.size() < 2 || shape[shape.size() - 1] != shape[shape.size() - 2]) {
    return OpError("expected square matrices, got shape ", ToString(shape));
  }
  return SetCheckedOutput(ctx, 0, ctx.type(0), Shape(shape.begin(), shape.end() - 2));
}

// Gaussian elimination with the largest pivot of each column; `matrix` is overwritten.
double Determinant(std::vector<double>& matrix, int64_t size) {
  double determinant = 1;
  for (int64_t column = 0; column < size; ++column) {
    int64_t pivot = column;
    for (int64_t row = column + 1; row < size; ++row) {
      if (std::abs(matrix[row * size + column]) > std::abs(matrix[pivot * size + column])) pivot = row;
    }
    const double* const pivot_row = &matrix[column * size];
    if (pivot != column) {
      std::swap_ranges(matrix.begin() + column * size, matrix.begin() + (column + 1) * size,
                       matrix.begin() + pivot * size);
      determinant = -determinant;
    }
    determinant *= pivot_row[column];
    if (determinant == 0) return 0;
    for (int64_t row = column + 1; row < size; ++row) {
      const double factor = matrix[row * size + column] / pivot_row[column];
      for (int64_t i = column; i < size; ++i) matrix[row * size + i] -= factor * pivot_row[i];
    }
  }
  return determinant;
}

absl::Status Det(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  const int64_t size = input.dim(-1);
  return Dispatch<float, double>(input.type(), [&](auto t) {
    using T = decltype(t);
    const T* values = input.values<T>().data();
    for (T& result : ctx.output(0).mutable_values<T>()) {
      std::vector<double> matrix(values, values + size * size);
      result = static_cast<T>(Determinant(matrix, size));
      values += size * size;
    }
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"Det", 1, 1, InferDet, Det},
};

}  // namespace

absl::Span<const OpDef> LinalgOps() { return kOps; }

}  // namespace tandem::engine
