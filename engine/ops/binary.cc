// Elementwise arithmetic of two inputs that broadcast to each other.
#include <cmath>

#include "engine/ops/arithmetic.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/convert.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return WrappingAdd(a, b);
  }
};

struct Sub {
  template <typename T>
  T operator()(T a, T b) const {
    return WrappingSub(a, b);
  }
};

struct Mul {
  template <typename T>
  T operator()(T a, T b) const {
    return WrappingMul(a, b);
  }
};

struct Div {
  template <typename T>
  T operator()(T a, T b) const {
    return SafeDiv(a, b);
  }
};

// The remainder of the quotient rounded down: it has the divisor's sign.
struct FloorMod {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      const T rest = std::fmod(a, b);
      if (rest == T{0}) return std::copysign(rest, b);
      return (rest < T{0}) != (b < T{0}) ? rest + b : rest;
    } else {
      const T rest = SafeRemainder(a, b);
      return rest != T{0} && (rest < T{0}) != (b < T{0}) ? static_cast<T>(rest + b) : rest;
    }
  }
};

// The remainder of the quotient cut towards zero: it has the dividend's sign.
struct TruncMod {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::fmod(a, b);
    else
      return SafeRemainder(a, b);
  }
};

absl::Status Mod(KernelContext& ctx) {
  if (ctx.attributes().Int("fmod", 0) != 0) return BinaryKernel<Numbers, TruncMod>(ctx);
  return BinaryKernel<Numbers, FloorMod>(ctx);
}

// Shifts by the type's width or more leave nothing.
struct ShiftLeft {
  template <typename T>
  T operator()(T a, T b) const {
    return b < sizeof(T) * 8 ? static_cast<T>(static_cast<uint64_t>(a) << b) : T{0};
  }
};

struct ShiftRight {
  template <typename T>
  T operator()(T a, T b) const {
    return b < sizeof(T) * 8 ? static_cast<T>(a >> b) : T{0};
  }
};

absl::Status InferBitShift(InferContext& ctx) {
  const std::string direction = ctx.attributes().String("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") return OpError("direction is '", direction, "', not LEFT or RIGHT");
  return InferBinary<Unsigned>(ctx);
}

absl::Status BitShift(KernelContext& ctx) {
  if (ctx.attributes().String("direction", "") == "LEFT") return BinaryKernel<Unsigned, ShiftLeft>(ctx);
  return BinaryKernel<Unsigned, ShiftRight>(ctx);
}

struct BitwiseAnd {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};

struct BitwiseOr {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};

struct BitwiseXor {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};

// Integer powers by squaring, wrapping. Negative exponents of anything but 1 and -1 give 0.
template <typename T>
T IntegerPower(T base, int64_t exponent) {
  if (exponent < 0) {
    if (base == T{1}) return T{1};
    return base == T{-1} ? (exponent % 2 == 0 ? T{1} : T{-1}) : T{0};
  }
  T result{1};
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = WrappingMul(result, base);
    base = WrappingMul(base, base);
  }
  return result;
}

template <typename T, typename E>
T Power(T base, E exponent) {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<E>)
    return IntegerPower(base, exponent);
  else if constexpr (std::is_same_v<T, E>)
    return std::pow(base, exponent);
  else
    return ConvertTo<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
}

using PowBases = Types<float, double, int32_t, int64_t>;

absl::Status InferPow(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(PowBases::Check(ctx.type(0)));
  TANDEM_RETURN_IF_ERROR(Numbers::Check(ctx.type(1)));
  TANDEM_ASSIGN_OR_RETURN(std::optional<Shape> shape, BroadcastInputs(ctx, 0, 2));
  ctx.SetOutput(0, ctx.type(0), std::move(shape));
  return absl::OkStatus();
}

// Squares and square roots are what models take powers for.
template <typename T>
bool PowerByScalar(const T* x, int64_t count, T exponent, T* y) {
  if (exponent == T{2}) {
    for (int64_t i = 0; i < count; ++i) y[i] = x[i] * x[i];
  } else if (exponent == T{0.5}) {
    for (int64_t i = 0; i < count; ++i) y[i] = std::sqrt(x[i]);
  } else {
    return false;
  }
  return true;
}

template <typename T, typename E>
absl::Status PowOf(const Tensor& base, const Tensor& exponent, Tensor& out) {
  const T* x = base.values<T>().data();
  const E* e = exponent.values<E>().data();
  T* y = out.mutable_values<T>().data();
  if constexpr (std::is_floating_point_v<T> && std::is_same_v<T, E>) {
    const bool by_scalar = exponent.num_elements() == 1 && out.num_elements() == base.num_elements();
    if (by_scalar && PowerByScalar(x, base.num_elements(), e[0], y)) return absl::OkStatus();
  }
  BroadcastBinary(base.shape(), x, exponent.shape(), e, out.shape(), y, [](T a, E b) { return Power(a, b); });
  return absl::OkStatus();
}

// Base and exponent have types of their own; the exponent is taken as the base's type, as int64 or as double, so that
// few combinations remain.
absl::Status Pow(KernelContext& ctx) {
  const Tensor& base = ctx.input(0);
  const Tensor& exponent = ctx.input(1);
  Tensor& out = ctx.output(0);
  if (base.type() == exponent.type()) {
    return PowBases::Dispatch(base.type(), [&](auto t) {
      using T = decltype(t);
      if constexpr (std::is_same_v<T, int32_t>)
        return PowOf<T, int64_t>(base, Converted(exponent, DataType::kInt64), out);
      else
        return PowOf<T, T>(base, exponent, out);
    });
  }
  const bool integers = !IsFloat(base.type()) && !IsFloat(exponent.type());
  const Tensor wide = Converted(exponent, integers ? DataType::kInt64 : DataType::kFloat64);
  return PowBases::Dispatch(base.type(), [&](auto t) {
    using T = decltype(t);
    if constexpr (std::is_integral_v<T>) {
      if (integers) return PowOf<T, int64_t>(base, wide, out);
    }
    return PowOf<T, double>(base, wide, out);
  });
}

constexpr OpDef kOps[] = {
    {"Add", 2, 2, InferBinary<Numbers>, BinaryKernel<Numbers, Add>},
    {"Sub", 2, 2, InferBinary<Numbers>, BinaryKernel<Numbers, Sub>},
    {"Mul", 2, 2, InferBinary<Numbers>, BinaryKernel<Numbers, Mul>},
    {"Div", 2, 2, InferBinary<Numbers>, BinaryKernel<Numbers, Div>},
    {"Mod", 2, 2, InferBinary<Numbers>, Mod},
    {"Pow", 2, 2, InferPow, Pow},
    {"BitShift", 2, 2, InferBitShift, BitShift},
    {"BitwiseAnd", 2, 2, InferBinary<Integers>, BinaryKernel<Integers, BitwiseAnd>},
    {"BitwiseOr", 2, 2, InferBinary<Integers>, BinaryKernel<Integers, BitwiseOr>},
    {"BitwiseXor", 2, 2, InferBinary<Integers>, BinaryKernel<Integers, BitwiseXor>},
};

}  // namespace

absl::Span<const OpDef> BinaryOps() { return kOps; }

}  // namespace tandem::engine
