// Conversions of whole tensors between element types, as Cast defines them.
#ifndef TANDEM_ENGINE_OPS_CONVERT_H_
#define TANDEM_ENGINE_OPS_CONVERT_H_

#include "engine/tensor.h"

namespace tandem::engine {

// Writes the elements of `from`, converted, to `to`: as many, of any type but string, float16 and bfloat16 included.
// Floats are cut towards zero; what an integer type cannot hold wraps or becomes its smallest value, see ConvertTo.
void ConvertElements(const Tensor& from, Tensor& to);

// `tensor` in another type.
Tensor Converted(const Tensor& tensor, DataType type);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_CONVERT_H_
