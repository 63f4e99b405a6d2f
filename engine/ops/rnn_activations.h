// The activation functions of the recurrent operators, applied to whole rows in place.
#ifndef TANDEM_ENGINE_OPS_RNN_ACTIVATIONS_H_
#define TANDEM_ENGINE_OPS_RNN_ACTIVATIONS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/attributes.h"

namespace tandem::engine {

enum class ActivationKind : uint8_t {
  kRelu,
  kTanh,
  kSigmoid,
  kAffine,
  kLeakyRelu,
  kThresholdedRelu,
  kScaledTanh,
  kHardSigmoid,
  kElu,
  kSoftsign,
  kSoftplus,
};

struct Activation {
  ActivationKind kind = ActivationKind::kTanh;
  float alpha = 0;
  float beta = 0;

  // x[i] = f(x[i]).
  template <typename T>
  void Apply(T* x, int64_t count) const;
};

// The functions of every direction one after the other, from the attributes activations, activation_alpha and
// activation_beta; `defaults` are those of one direction.
absl::StatusOr<std::vector<Activation>> ActivationsOf(const Attributes& attributes,
                                                      absl::Span<const absl::string_view> defaults, int64_t directions);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_RNN_ACTIVATIONS_H_
