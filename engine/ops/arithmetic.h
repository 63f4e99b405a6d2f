// Scalar arithmetic that is defined for every value: kernels must not overflow, trap or convert out of range.
#ifndef TANDEM_ENGINE_OPS_ARITHMETIC_H_
#define TANDEM_ENGINE_OPS_ARITHMETIC_H_

#include <cstdint>
#include <limits>
#include <type_traits>

namespace tandem::engine {

// The unsigned type to compute in so that T wraps around: 16-bit products would overflow the int they promote to.
template <typename T>
using Wrapping = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;

template <typename T>
T WrappingAdd(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a + b;
  return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
}

template <typename T>
T WrappingSub(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a - b;
  return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
}

template <typename T>
T WrappingMul(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a * b;
  return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
}

// Towards zero for integers, for which x / 0 is 0 and the smallest value / -1 wraps to itself.
template <typename T>
T SafeDiv(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a / b;
  } else {
    if (b == T{0}) return T{0};
    if constexpr (std::is_signed_v<T>) {
      if (b == T{-1}) return WrappingSub(T{0}, a);
    }
    return static_cast<T>(a / b);
  }
}

// The remainder of SafeDiv; 0 for b = 0.
template <typename T>
T SafeRemainder(T a, T b) {
  if (b == T{0}) return T{0};
  if constexpr (std::is_signed_v<T>) {
    if (b == T{-1}) return T{0};
  }
  return static_cast<T>(a % b);
}

// `value` in another type. Integers wrap; floats are cut towards zero, and what an integer type cannot hold becomes
// what x86 makes of it (so that results equal those of other runtimes), without the undefined behaviour.
template <typename To, typename From>
To ConvertTo(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if constexpr (std::is_same_v<To, uint64_t>) {
      if (value >= From(0x1p63) && value < From(0x1p64)) return static_cast<uint64_t>(value);
    }
    // Types narrower than 32 bits wrap what fits an int32, 32 bits unsigned what fits an int64.
    using Wide = std::conditional_t<(sizeof(To) < 4) || std::is_same_v<To, int32_t>, int32_t, int64_t>;
    constexpr From kBound = sizeof(Wide) == 4 ? From(0x1p31) : From(0x1p63);
    const bool fits = value >= -kBound && value < kBound;
    return static_cast<To>(fits ? static_cast<Wide>(value) : std::numeric_limits<Wide>::min());
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_ARITHMETIC_H_
