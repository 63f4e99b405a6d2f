// CPUs without VNNI multiply unsigned by signed bytes in pairs and add each pair in 16 bits, saturating: 255 times two
// weights that together pass 128 may be cut off.
#ifndef TANDEM_ENGINE_COMPILE_SATURATION_H_
#define TANDEM_ENGINE_COMPILE_SATURATION_H_

#include <cstdint>

#include "engine/tensor.h"

namespace tandem::engine {

// Whether the instructions that oneDNN uses here add pairs of products in 16 bits.
bool PairsSaturate();

// Whether two of the int8 `weights` that a kernel may add as a pair can pass 16 bits: neighbours along `summed_axis`,
// the one over which products are summed. Weights of one element along it are never paired.
bool MaySaturate(const Tensor& weights, int64_t summed_axis);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_SATURATION_H_
