// Activation functions: elementwise, of one input and a few parameters.
#include <cmath>
#include <limits>

#include "engine/ops/arithmetic.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

namespace {

// log(1 + e^x) without overflow.
template <typename T>
T SoftplusOf(T x) {
  return (x > T{0} ? x : T{0}) + std::log1p(VectorExp(-std::abs(x)));
}

struct Relu {
  template <typename T>
  T operator()(T x) const {
    return x < T{0} ? T{0} : x;
  }
};

struct LeakyRelu {
  explicit LeakyRelu(const Attributes& attributes) : alpha(attributes.Float("alpha", 0.01f)) {}
  template <typename T>
  T operator()(T x) const {
    return x < T{0} ? static_cast<T>(alpha) * x : x;
  }
  float alpha;
};

struct Elu {
  explicit Elu(const Attributes& attributes) : alpha(attributes.Float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x < T{0} ? static_cast<T>(alpha) * std::expm1(x) : x;
  }
  float alpha;
};

struct Selu {
  explicit Selu(const Attributes& attributes)
      : alpha(attributes.Float("alpha", 1.67326319217681884765625f)),
        gamma(attributes.Float("gamma", 1.05070102214813232421875f)) {}
  template <typename T>
  T operator()(T x) const {
    return static_cast<T>(gamma) * (x > T{0} ? x : static_cast<T>(alpha) * std::expm1(x));
  }
  float alpha;
  float gamma;
};

struct Celu {
  explicit Celu(const Attributes& attributes) : alpha(attributes.Float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    const T a = static_cast<T>(alpha);
    return x < T{0} ? a * std::expm1(x / a) : x;
  }
  float alpha;
};

struct ThresholdedRelu {
  explicit ThresholdedRelu(const Attributes& attributes) : alpha(attributes.Float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x > static_cast<T>(alpha) ? x : T{0};
  }
  float alpha;
};

struct HardSigmoid {
  explicit HardSigmoid(const Attributes& attributes)
      : alpha(attributes.Float("alpha", 0.2f)), beta(attributes.Float("beta", 0.5f)) {}
  template <typename T>
  T operator()(T x) const {
    const T y = static_cast<T>(alpha) * x + static_cast<T>(beta);
    return y < T{0} ? T{0} : (y > T{1} ? T{1} : y);
  }
  float alpha;
  float beta;
};

struct HardSwish {
  template <typename T>
  T operator()(T x) const {
    const T gate = x / T{6} + T{0.5};
    return x * (gate < T{0} ? T{0} : (gate > T{1} ? T{1} : gate));
  }
};

struct Sigmoid {
  template <typename T>
  T operator()(T x) const {
    return VectorSigmoid(x);
  }
};

struct Softplus {
  template <typename T>
  T operator()(T x) const {
    return SoftplusOf(x);
  }
};

struct Softsign {
  template <typename T>
  T operator()(T x) const {
    return x / (T{1} + std::abs(x));
  }
};

struct Mish {
  template <typename T>
  T operator()(T x) const {
    return x * VectorTanh(SoftplusOf(x));
  }
};

struct Swish {
  explicit Swish(const Attributes& attributes) : alpha(attributes.Float("alpha", 1)) {}
  template <typename T>
  T operator()(T x) const {
    return x * VectorSigmoid(static_cast<T>(alpha) * x);
  }
  float alpha;
};

struct GeluErf {
  template <typename T>
  T operator()(T x) const {
    return T{0.5} * x * (T{1} + std::erf(x * T(0.70710678118654752440)));
  }
};

struct GeluTanh {
  template <typename T>
  T operator()(T x) const {
    const T inner = T(0.79788456080286535588) * (x + T(0.044715) * x * x * x);
    return T{0.5} * x * (T{1} + VectorTanh(inner));
  }
};

absl::Status InferGelu(InferContext& ctx) {
  const std::string approximate = ctx.attributes().String("approximate", "none");
  if (approximate != "none" && approximate != "tanh") return OpError("approximate is '", approximate, "'");
  return InferSame<Floats>(ctx);
}

absl::Status Gelu(KernelContext& ctx) {
  if (ctx.attributes().String("approximate", "none") == "tanh") return MapKernel<Floats, GeluTanh>(ctx);
  return MapKernel<Floats, GeluErf>(ctx);
}

struct Shrink {
  explicit Shrink(const Attributes& attributes)
      : lambda(attributes.Float("lambd", 0.5f)), bias(attributes.Float("bias", 0)) {}
  template <typename T>
  T operator()(T x) const {
    using Wide = std::conditional_t<sizeof(T) == 8, double, float>;
    const Wide wide = static_cast<Wide>(x);
    if (wide < -static_cast<Wide>(lambda)) return ConvertTo<T>(wide + static_cast<Wide>(bias));
    if (wide > static_cast<Wide>(lambda)) return ConvertTo<T>(wide - static_cast<Wide>(bias));
    return T{0};
  }
  float lambda;
  float bias;
};

absl::Status InferClip(InferContext& ctx) {
  for (int i : {1, 2}) {
    if (!ctx.has_input(i)) continue;
    const absl::string_view name = i == 1 ? "min" : "max";
    if (ctx.type(i) != ctx.type(0)) {
      return OpError(name, " is ", NameOf(ctx.type(i)), ", the input ", NameOf(ctx.type(0)));
    }
    if (ctx.has_shape(i) && NumElements(ctx.shape(i)) != 1) {
      return OpError(name, " must be a scalar, has shape ", ToString(ctx.shape(i)));
    }
  }
  return InferSame<Numbers>(ctx);
}

absl::Status Clip(KernelContext& ctx) {
  return Numbers::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    using Limits = std::numeric_limits<T>;
    const T low = ctx.has_input(1) ? ctx.input(1).values<T>()[0]
                                   : (Limits::has_infinity ? -Limits::infinity() : Limits::lowest());
    const T high =
        ctx.has_input(2) ? ctx.input(2).values<T>()[0] : (Limits::has_infinity ? Limits::infinity() : Limits::max());
    const T* x = ctx.input(0).values<T>().data();
    T* y = ctx.output(0).mutable_values<T>().data();
    const int64_t count = ctx.input(0).num_elements();
    for (int64_t i = 0; i < count; ++i) {
      const T raised = x[i] < low ? low : x[i];
      y[i] = raised > high ? high : raised;
    }
    return absl::OkStatus();
  });
}

using PReluTypes = Types<float, double, int32_t, int64_t, uint32_t, uint64_t>;

struct ParametricRelu {
  template <typename T>
  T operator()(T x, T slope) const {
    return x < T{0} ? WrappingMul(x, slope) : x;
  }
};

absl::Status InferPRelu(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferBinary<PReluTypes>(ctx));
  if (ctx.has_shape(0) && ctx.has_shape(1) && *ctx.outputs()[0].shape != ctx.shape(0)) {
    return OpError("slope of shape ", ToString(ctx.shape(1)), " does not broadcast to ", ToString(ctx.shape(0)));
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Relu", 1, 1, InferSame<SignedNumbers>, MapKernel<SignedNumbers, Relu>},
    {"LeakyRelu", 1, 1, InferSame<Floats>, MapKernel<Floats, LeakyRelu>},
    {"Elu", 1, 1, InferSame<Floats>, MapKernel<Floats, Elu>},
    {"Selu", 1, 1, InferSame<Floats>, MapKernel<Floats, Selu>},
    {"Celu", 1, 1, InferSame<Floats>, MapKernel<Floats, Celu>},
    {"ThresholdedRelu", 1, 1, InferSame<Floats>, MapKernel<Floats, ThresholdedRelu>},
    {"HardSigmoid", 1, 1, InferSame<Floats>, MapKernel<Floats, HardSigmoid>},
    {"HardSwish", 1, 1, InferSame<Floats>, MapKernel<Floats, HardSwish>},
    {"Sigmoid", 1, 1, InferSame<Floats>, MapKernel<Floats, Sigmoid>},
    {"Softplus", 1, 1, InferSame<Floats>, MapKernel<Floats, Softplus>},
    {"Softsign", 1, 1, InferSame<Floats>, MapKernel<Floats, Softsign>},
    {"Mish", 1, 1, InferSame<Floats>, MapKernel<Floats, Mish>},
    {"Swish", 1, 1, InferSame<Floats>, MapKernel<Floats, Swish>},
    {"Gelu", 1, 1, InferGelu, Gelu},
    {"Shrink", 1, 1, InferSame<Numbers>, MapKernel<Numbers, Shrink>},
    {"Clip", 1, 3, InferClip, Clip},
    {"PRelu", 2, 2, InferPRelu, BinaryKernel<PReluTypes, ParametricRelu>},
};

}  // namespace

absl::Span<const OpDef> ActivationOps() { return kOps; }

}  // namespace tandem::engine
