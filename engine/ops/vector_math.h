// Exponential functions for inner loops: branch-free, so that compilers vectorize a loop over them, unlike the C
// library's. The float versions are right to a few units in the last place (the polynomial of the hyperbolic tangent is
// that of the Cephes library, netlib.org/cephes); the double versions are the C library's.
#ifndef TANDEM_ENGINE_OPS_VECTOR_MATH_H_
#define TANDEM_ENGINE_OPS_VECTOR_MATH_H_

#include <cmath>
#include <cstdint>

#include "absl/base/casts.h"

namespace tandem::engine {

// e^x in float to about 1 ulp, by range reduction and a Taylor polynomial: without calls or branches, so that loops
// over it vectorize. Over- and underflow go to infinity and zero, NaN stays NaN.
inline float VectorExp(float x) {
  constexpr float kLog2E = 1.44269504088896340736f;
  constexpr float kLn2High = 0.693359375f;  // few bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440054690583e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  const float shifted = x * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = (p * r) * r + r + 1.0f;
  // 2^n in two factors, as n reaches past what one exponent holds at both ends.
  const int32_t exponent = static_cast<int32_t>(absl::bit_cast<uint32_t>(shifted) - absl::bit_cast<uint32_t>(kRound));
  const int32_t half = exponent >> 1;
  const float scale_a = absl::bit_cast<float>(static_cast<uint32_t>(half + 127) << 23);
  const float scale_b = absl::bit_cast<float>(static_cast<uint32_t>(exponent - half + 127) << 23);
  return p * scale_a * scale_b;
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
