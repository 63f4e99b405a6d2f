// The shapes of matrix products as NumPy's matmul has them, shared by the float and the integer operators.
#ifndef TANDEM_ENGINE_OPS_MATMUL_SHAPE_H_
#define TANDEM_ENGINE_OPS_MATMUL_SHAPE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/tensor.h"

namespace tandem::engine {

// A matrix product per element of `batch`, the 1-D cases brought to two dimensions as NumPy does.
struct MatMulShape {
  Shape batch;
  Shape a_batch;  // of a and b alone, before broadcasting
  Shape b_batch;
  int64_t m = 1;
  int64_t k = 1;
  int64_t n = 1;
  Shape output;
};

// INVALID_ARGUMENT when the shapes do not fit or the output has too many elements.
absl::StatusOr<MatMulShape> ShapeOfMatMul(const Shape& a, const Shape& b);

// The index of the operand's matrix that belongs to matrix `index` of the broadcast batch.
int64_t OperandIndex(int64_t index, const Shape& batch, const Shape& operand);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_MATMUL_SHAPE_H_
