// Quantizing the rows of a matrix as they come: for products whose left operand has no parameters fixed beforehand.
// Each row has its own, so that no row depends on its neighbours in a batch. Any thread.
#ifndef TANDEM_ENGINE_KERNELS_ROWS_H_
#define TANDEM_ENGINE_KERNELS_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// What is found for each row; arrays of as many elements as there are rows.
struct RowParameters {
  float* scale = nullptr;
  int32_t* zero_point = nullptr;
  // The sum of the stored bytes: what a product of stored bytes owes to the zero point of its right operand.
  int32_t* sum = nullptr;
};

// x is [rows, columns] with `stride` floats from a row to the next; y is [rows, columns] without gaps, uint8. At most
// 2^23 columns.
// As DynamicQuantizeLinear does for a whole tensor: the scale is (max - min) / 255 over the row and zero, or 1 where
// that is next to nothing; the zero point is the rounded -min / scale. Steps of y: x * (1 / scale), in float. NaNs are
// left out of the range and are stored as 0.
void QuantizeRows(Isa isa, size_t rows, size_t columns, size_t stride, const float* x, uint8_t* y,
                  const RowParameters& found);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_ROWS_H_
