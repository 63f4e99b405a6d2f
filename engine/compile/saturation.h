// CPUs without VNNI multiply unsigned by signed bytes in pairs and add each pair in 16 bits, saturating: 255 times two
// weights of one sign that together pass 128 may be cut off.
#ifndef TANDEM_ENGINE_COMPILE_SATURATION_H_
#define TANDEM_ENGINE_COMPILE_SATURATION_H_

#include <cstdint>

#include "engine/tensor.h"

namespace tandem::engine {

// What two weights of one sign may come to.
constexpr int kMostOfPair = 32767 / 255;

// Whether the sum of the products of two weights with unsigned bytes can pass 16 bits.
template <typename T>
bool PairPasses(T a, T b) {
  return a < 0 ? b < 0 && a + b < -kMostOfPair : b > 0 && a + b > kMostOfPair;
}

// Whether the instructions that oneDNN uses here add pairs of products in 16 bits.
bool PairsSaturate();

// Whether two of the int8 `weights` that a kernel may add as a pair can pass 16 bits: neighbours along `summed_axis`,
// the one over which products are summed. Weights of one element along it are never paired.
bool MaySaturate(const Tensor& weights, int64_t summed_axis);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_SATURATION_H_
