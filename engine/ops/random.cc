// Random numbers. Only with a seed: kernels are pure, and an answer that changes from run to run could be neither
// folded nor compared. The same seed gives the same numbers on every machine, though not those of other runtimes.
#include <cmath>
#include <numbers>
#include <optional>

#include "absl/base/casts.h"
#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014).
class Generator {
 public:
  explicit Generator(float seed) : state_(absl::bit_cast<uint32_t>(seed)) {}

  // Uniform in [0, 1).
  double Uniform() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  // Normal with mean 0 and deviation 1 (Box-Muller).
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  uint64_t state_;
};

absl::StatusOr<Generator> GeneratorOf(const Attributes& attributes) {
  const float* seed = attributes.Find<float>("seed");
  if (seed == nullptr) return absl::UnimplementedError("random numbers without a seed are not supported");
  return Generator(*seed);
}

absl::StatusOr<DataType> OutputType(const Attributes& attributes, DataType fallback) {
  if (!attributes.Has("dtype")) return fallback;
  return TypeOfOnnxCode(attributes.Int("dtype", 0));
}

absl::Status InferRandom(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const DataType type, OutputType(ctx.attributes(), DataType::kFloat32));
  const std::vector<int64_t> shape = ctx.attributes().Ints("shape");
  return SetCheckedOutput(ctx, 0, type, Shape(shape.begin(), shape.end()));
}

absl::Status InferRandomLike(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const DataType type, OutputType(ctx.attributes(), ctx.type(0)));
  ctx.SetOutput(0, type, ctx.has_shape(0) ? std::optional<Shape>(ctx.shape(0)) : std::nullopt);
  return absl::OkStatus();
}

absl::Status RandomNormal(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(Generator generator, GeneratorOf(ctx.attributes()));
  const double mean = ctx.attributes().Float("mean", 0);
  const double scale = ctx.attributes().Float("scale", 1);
  return Dispatch<float, double>(ctx.output(0).type(), [&](auto t) {
    using T = decltype(t);
    for (T& value : ctx.output(0).mutable_values<T>()) value = static_cast<T>(mean + scale * generator.Normal());
    return absl::OkStatus();
  });
}

absl::Status RandomUniform(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(Generator generator, GeneratorOf(ctx.attributes()));
  const double low = ctx.attributes().Float("low", 0);
  const double high = ctx.attributes().Float("high", 1);
  return Dispatch<float, double>(ctx.output(0).type(), [&](auto t) {
    using T = decltype(t);
    for (T& value : ctx.output(0).mutable_values<T>()) {
      value = static_cast<T>(low + (high - low) * generator.Uniform());
    }
    return absl::OkStatus();
  });
}

absl::Status Bernoulli(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(Generator generator, GeneratorOf(ctx.attributes()));
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto p) {
    const auto probabilities = ctx.input(0).values<decltype(p)>();
    return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>(
        ctx.output(0).type(), [&](auto t) {
          using T = decltype(t);
          const auto values = ctx.output(0).mutable_values<T>();
          for (size_t i = 0; i < values.size(); ++i) {
            values[i] = generator.Uniform() < static_cast<double>(probabilities[i]) ? T{1} : T{0};
          }
          return absl::OkStatus();
        });
  });
}

constexpr OpDef kOps[] = {
    {"RandomNormal", 0, 0, InferRandom, RandomNormal},
    {"RandomUniform", 0, 0, InferRandom, RandomUniform},
    {"RandomNormalLike", 1, 1, InferRandomLike, RandomNormal},
    {"RandomUniformLike", 1, 1, InferRandomLike, RandomUniform},
    {"Bernoulli", 1, 1, InferRandomLike, Bernoulli},
};

}  // namespace

absl::Span<const OpDef> RandomOps() { return kOps; }

}  // namespace tandem::engine
