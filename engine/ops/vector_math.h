// Exponential functions for inner loops: branch-free, so that compilers vectorize a loop over them, unlike the C
// library's. The float versions are right to a few units in the last place (the polynomials are those of the Cephes
// library, netlib.org/cephes); the double versions are the C library's.
#ifndef TANDEM_ENGINE_OPS_VECTOR_MATH_H_
#define TANDEM_ENGINE_OPS_VECTOR_MATH_H_

#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/base/casts.h"

namespace tandem::engine {

// e^x; 0 where that is below the smallest normal number, infinity from e^88.37 on.
inline float VectorExp(float x) {
  float bounded = x < -87.3f ? -87.3f : x;
  bounded = bounded > 88.37f ? 88.37f : bounded;
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits of the sum.
  const float shifted = bounded * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const uint32_t exponent = absl::bit_cast<uint32_t>(shifted) - 0x4b400000u + 127u;
  const float result = p * absl::bit_cast<float>(exponent << 23);
  const float with_zero = x < -87.3f ? 0.0f : result;
  return x > 88.37f ? std::numeric_limits<float>::infinity() : with_zero;
}
inline double VectorExp(double x) { return std::exp(x); }

template <typename T>
T VectorSigmoid(T x) {
  return T{1} / (T{1} + VectorExp(-x));
}

inline float VectorTanh(float x) {
  const float magnitude = std::abs(x);
  const float large = 1.0f - 2.0f / (VectorExp(2.0f * magnitude) + 1.0f);
  const float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float small = p * z * x + x;
  return magnitude < 0.625f ? small : std::copysign(large, x);
}
inline double VectorTanh(double x) { return std::tanh(x); }

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_VECTOR_MATH_H_
