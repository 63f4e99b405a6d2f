// Elementwise mathematics of one input, and the operators that pass their input on.
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/ops/arithmetic.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

namespace {

struct Abs {
  template <typename T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return std::abs(x);
    return x < T{0} ? WrappingSub(T{0}, x) : x;
  }
};

struct Neg {
  template <typename T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return -x;
    return WrappingSub(T{0}, x);
  }
};

struct Sign {
  template <typename T>
  T operator()(T x) const {
    return x != x ? x : static_cast<T>((x > T{0}) - (x < T{0}));
  }
};

struct Exp {
  template <typename T>
  T operator()(T x) const {
    return VectorExp(x);
  }
};

struct Tanh {
  template <typename T>
  T operator()(T x) const {
    return VectorTanh(x);
  }
};

struct Reciprocal {
  template <typename T>
  T operator()(T x) const {
    return T{1} / x;
  }
};

// The functions that <cmath> overloads for float and double.
#define TANDEM_CMATH(Name, function) \
  struct Name {                      \
    template <typename T>            \
    T operator()(T x) const {        \
      return std::function(x);       \
    }                                \
  }
TANDEM_CMATH(Ceil, ceil);
TANDEM_CMATH(Floor, floor);
TANDEM_CMATH(Round, nearbyint);  // halves go to the even neighbour
TANDEM_CMATH(Sqrt, sqrt);
TANDEM_CMATH(Log, log);
TANDEM_CMATH(Erf, erf);
TANDEM_CMATH(Sin, sin);
TANDEM_CMATH(Cos, cos);
TANDEM_CMATH(Tan, tan);
TANDEM_CMATH(Asin, asin);
TANDEM_CMATH(Acos, acos);
TANDEM_CMATH(Atan, atan);
TANDEM_CMATH(Sinh, sinh);
TANDEM_CMATH(Cosh, cosh);
TANDEM_CMATH(Asinh, asinh);
TANDEM_CMATH(Acosh, acosh);
TANDEM_CMATH(Atanh, atanh);
#undef TANDEM_CMATH

struct IsNan {
  template <typename T>
  bool operator()(T x) const {
    return x != x;
  }
};

struct IsInf {
  explicit IsInf(const Attributes& attributes)
      : positive(attributes.Int("detect_positive", 1) != 0), negative(attributes.Int("detect_negative", 1) != 0) {}
  template <typename T>
  bool operator()(T x) const {
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    return (positive && x == kInfinity) || (negative && x == -kInfinity);
  }
  bool positive;
  bool negative;
};

struct Not {
  bool operator()(bool x) const { return !x; }
};

struct BitwiseNot {
  template <typename T>
  T operator()(T x) const {
    return static_cast<T>(~x);
  }
};

// Identity and Dropout also carry the types that only the model's boundary sees.
absl::Status InferAny(InferContext& ctx) {
  if (SizeOf(ctx.type(0)) == 0) return absl::UnimplementedError(absl::StrCat("type ", NameOf(ctx.type(0))));
  ctx.SetOutput(0, ctx.type(0), ShapeOf(ctx, 0));
  return absl::OkStatus();
}

absl::Status Copy(KernelContext& ctx) {
  // memcpy takes no null, not even for nothing.
  if (ctx.input(0).num_bytes() > 0) std::memcpy(ctx.output(0).data(), ctx.input(0).data(), ctx.input(0).num_bytes());
  return absl::OkStatus();
}

absl::Status InferDropout(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferAny(ctx));
  if (ctx.has_input(1)) TANDEM_RETURN_IF_ERROR(Floats::Check(ctx.type(1)));
  if (ctx.has_input(2) && ctx.type(2) != DataType::kBool) {
    return OpError("training_mode is ", NameOf(ctx.type(2)), ", not bool");
  }
  ctx.SetOutput(1, DataType::kBool, ShapeOf(ctx, 0));
  return absl::OkStatus();
}

// True when the node asks for elements to be dropped at random.
bool IsTraining(KernelContext& ctx) {
  const bool training = ctx.has_input(2) && ctx.input(2).num_elements() > 0 && ctx.input(2).values<bool>()[0];
  if (!training) return false;
  if (!ctx.has_input(1) || ctx.input(1).num_elements() == 0) return true;
  if (ctx.input(1).type() == DataType::kFloat64) return ctx.input(1).values<double>()[0] != 0;
  return ctx.input(1).values<float>()[0] != 0;
}

absl::Status Dropout(KernelContext& ctx) {
  if (IsTraining(ctx)) return absl::UnimplementedError("training_mode with a ratio above 0 is not supported");
  if (ctx.num_outputs() > 1) {
    for (bool& kept : ctx.output(1).mutable_values<bool>()) kept = true;
  }
  return Copy(ctx);
}

constexpr OpDef kOps[] = {
    {"Abs", 1, 1, InferSame<Numbers>, MapKernel<Numbers, Abs>},
    {"Neg", 1, 1, InferSame<SignedNumbers>, MapKernel<SignedNumbers, Neg>},
    {"Sign", 1, 1, InferSame<Numbers>, MapKernel<Numbers, Sign>},
    {"Ceil", 1, 1, InferSame<Floats>, MapKernel<Floats, Ceil>},
    {"Floor", 1, 1, InferSame<Floats>, MapKernel<Floats, Floor>},
    {"Round", 1, 1, InferSame<Floats>, MapKernel<Floats, Round>},
    {"Sqrt", 1, 1, InferSame<Floats>, MapKernel<Floats, Sqrt>},
    {"Reciprocal", 1, 1, InferSame<Floats>, MapKernel<Floats, Reciprocal>},
    {"Exp", 1, 1, InferSame<Floats>, MapKernel<Floats, Exp>},
    {"Log", 1, 1, InferSame<Floats>, MapKernel<Floats, Log>},
    {"Erf", 1, 1, InferSame<Floats>, MapKernel<Floats, Erf>},
    {"Sin", 1, 1, InferSame<Floats>, MapKernel<Floats, Sin>},
    {"Cos", 1, 1, InferSame<Floats>, MapKernel<Floats, Cos>},
    {"Tan", 1, 1, InferSame<Floats>, MapKernel<Floats, Tan>},
    {"Asin", 1, 1, InferSame<Floats>, MapKernel<Floats, Asin>},
    {"Acos", 1, 1, InferSame<Floats>, MapKernel<Floats, Acos>},
    {"Atan", 1, 1, InferSame<Floats>, MapKernel<Floats, Atan>},
    {"Sinh", 1, 1, InferSame<Floats>, MapKernel<Floats, Sinh>},
    {"Cosh", 1, 1, InferSame<Floats>, MapKernel<Floats, Cosh>},
    {"Tanh", 1, 1, InferSame<Floats>, MapKernel<Floats, Tanh>},
    {"Asinh", 1, 1, InferSame<Floats>, MapKernel<Floats, Asinh>},
    {"Acosh", 1, 1, InferSame<Floats>, MapKernel<Floats, Acosh>},
    {"Atanh", 1, 1, InferSame<Floats>, MapKernel<Floats, Atanh>},
    {"IsNaN", 1, 1, InferSame<Floats, DataType::kBool>, MapKernel<Floats, IsNan>},
    {"IsInf", 1, 1, InferSame<Floats, DataType::kBool>, MapKernel<Floats, IsInf>},
    {"Not", 1, 1, InferSame<Bools>, MapKernel<Bools, Not>},
    {"BitwiseNot", 1, 1, InferSame<Integers>, MapKernel<Integers, BitwiseNot>},
    {"Identity", 1, 1, InferAny, Copy},
    {"Dropout", 1, 3, InferDropout, Dropout},
};

}  // namespace

absl::Span<const OpDef> UnaryOps() { return kOps; }

}  // namespace tandem::engine
