#include "engine/ops/rnn_activations.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/match.h"
#include "engine/ops/op.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

namespace {

struct KnownActivation {
  absl::string_view name;
  Activation defaults;
  bool takes_alpha;
  bool takes_beta;
};

constexpr KnownActivation kKnown[] = {
    {"Relu", {ActivationKind::kRelu, 0, 0}, false, false},
    {"Tanh", {ActivationKind::kTanh, 0, 0}, false, false},
    {"Sigmoid", {ActivationKind::kSigmoid, 0, 0}, false, false},
    {"Affine", {ActivationKind::kAffine, 1, 0}, true, true},
    {"LeakyRelu", {ActivationKind::kLeakyRelu, 0.01f, 0}, true, false},
    {"ThresholdedRelu", {ActivationKind::kThresholdedRelu, 1, 0}, true, false},
    {"ScaledTanh", {ActivationKind::kScaledTanh, 1, 1}, true, true},
    {"HardSigmoid", {ActivationKind::kHardSigmoid, 0.2f, 0.5f}, true, true},
    {"Elu", {ActivationKind::kElu, 1, 0}, true, false},
    {"Softsign", {ActivationKind::kSoftsign, 0, 0}, false, false},
    {"Softplus", {ActivationKind::kSoftplus, 0, 0}, false, false},
};

template <typename T, typename F>
void Map(T* x, int64_t count, F&& f) {
  for (int64_t i = 0; i < count; ++i) x[i] = f(x[i]);
}

}  // namespace

template <typename T>
void Activation::Apply(T* x, int64_t count) const {
  const T a = static_cast<T>(alpha);
  const T b = static_cast<T>(beta);
  switch (kind) {
    case ActivationKind::kRelu:
      return Map(x, count, [](T v) { return v > 0 ? v : T{0}; });
    case ActivationKind::kTanh:
      return Map(x, count, [](T v) { return VectorTanh(v); });
    case ActivationKind::kSigmoid:
      return Map(x, count, [](T v) { return VectorSigmoid(v); });
    case ActivationKind::kAffine:
      return Map(x, count, [a, b](T v) { return a * v + b; });
    case ActivationKind::kLeakyRelu:
      return Map(x, count, [a](T v) { return v >= 0 ? v : a * v; });
    case ActivationKind::kThresholdedRelu:
      return Map(x, count, [a](T v) { return v >= a ? v : T{0}; });
    case ActivationKind::kScaledTanh:
      return Map(x, count, [a, b](T v) { return a * VectorTanh(b * v); });
    case ActivationKind::kHardSigmoid:
      return Map(x, count, [a, b](T v) { return std::min(std::max(a * v + b, T{0}), T{1}); });
    case ActivationKind::kElu:
      return Map(x, count, [a](T v) { return v >= 0 ? v : a * std::expm1(v); });
    case ActivationKind::kSoftsign:
      return Map(x, count, [](T v) { return v / (1 + std::abs(v)); });
    case ActivationKind::kSoftplus:
      return Map(x, count, [](T v) { return std::max(v, T{0}) + std::log1p(std::exp(-std::abs(v))); });
  }
}

template void Activation::Apply<float>(float*, int64_t) const;
template void Activation::Apply<double>(double*, int64_t) const;

absl::StatusOr<std::vector<Activation>> ActivationsOf(const Attributes& attributes,
                                                      absl::Span<const absl::string_view> defaults,
                                                      int64_t directions) {
  std::vector<std::string> names = attributes.Strings("activations");
  const size_t expected = defaults.size() * static_cast<size_t>(directions);
  if (names.empty()) {
    for (size_t i = 0; i < expected; ++i) names.emplace_back(defaults[i % defaults.size()]);
  }
  if (names.size() != expected) return OpError("activations has ", names.size(), " names, expected ", expected);
  const auto alphas = attributes.Floats("activation_alpha");
  const auto betas = attributes.Floats("activation_beta");
  size_t next_alpha = 0;
  size_t next_beta = 0;
  std::vector<Activation> activations;
  for (const std::string& name : names) {
    const auto* known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const KnownActivation& candidate) {
      return absl::EqualsIgnoreCase(candidate.name, name);
    });
    if (known == std::end(kKnown)) return OpError("unknown activation '", name, "'");
    Activation activation = known->defaults;
    if (known->takes_alpha && next_alpha < alphas.size()) activation.alpha = alphas[next_alpha++];
    if (known->takes_beta && next_beta < betas.size()) activation.beta = betas[next_beta++];
    activations.push_back(activation);
  }
  return activations;
}

}  // namespace tandem::engine
