// BatchNormalization with constant parameters, as one multiplication and one addition.
#ifndef TANDEM_ENGINE_COMPILE_NORMALIZATION_H_
#define TANDEM_ENGINE_COMPILE_NORMALIZATION_H_

#include <optional>

#include "engine/compile/plan_builder.h"
#include "engine/tensor.h"

namespace tandem::engine {

// float32, one a channel: y = x * scale + shift.
struct ChannelNumbers {
  Tensor scale, shift;
};

// What `node` does, or nothing when it is no BatchNormalization of real numbers for inference, or takes parameters that
// are not constant.
std::optional<ChannelNumbers> NumbersOfNormalization(const PlanBuilder& builder, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_NORMALIZATION_H_
