#include "engine/ops/matmul_shape.h"

#include "engine/ops/conv_geometry.h"
#include "engine/ops/op.h"

namespace tandem::engine {

absl::StatusOr<MatMulShape> ShapeOfMatMul(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty()) return OpError("MatMul of ", ToString(a), " and ", ToString(b), ": no scalars");
  MatMulShape shape;
  const bool a_is_vector = a.size() == 1;
  const bool b_is_vector = b.size() == 1;
  shape.m = a_is_vector ? 1 : a[a.size() - 2];
  shape.k = a.back();
  shape.n = b_is_vector ? 1 : b.back();
  const int64_t b_rows = b_is_vector ? b[0] : b[b.size() - 2];
  if (shape.k != b_rows) return OpError("MatMul of ", ToString(a), " and ", ToString(b), ": ", shape.k, " != ", b_rows);
  if (!a_is_vector) shape.a_batch.assign(a.begin(), a.end() - 2);
  if (!b_is_vector) shape.b_batch.assign(b.begin(), b.end() - 2);
  TANDEM_ASSIGN_OR_RETURN(shape.batch, BroadcastShapes(shape.a_batch, shape.b_batch));
  shape.output = shape.batch;
  if (!a_is_vector) shape.output.push_back(shape.m);
  if (!b_is_vector) shape.output.push_back(shape.n);
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
  return shape;
}

int64_t OperandIndex(int64_t index, const Shape& batch, const Shape& operand) {
  int64_t result = 0;
  int64_t stride = 1;
  for (size_t i = 0; i < operand.size(); ++i) {  // from the innermost
    const int64_t dim = batch[batch.size() - 1 - i];
    const int64_t own = operand[operand.size() - 1 - i];
    if (own != 1) result += index % dim * stride;
    stride *= own;
    index /= dim;
  }
  return result;
}

}  // namespace tandem::engine
