// Multiplications and additions by one constant a channel, as several rewrites fold them.
#ifndef TANDEM_ENGINE_PASSES_CHANNEL_AFFINE_H_
#define TANDEM_ENGINE_PASSES_CHANNEL_AFFINE_H_

#include <optional>
#include <vector>

#include "engine/passes/pass.h"

namespace tandem::engine {

// y = x * scale + shift, one of each a channel.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

// The tensor of a constant of type float32, else null.
const Tensor* FloatConstant(const Matcher& matcher, ValueId id);

// Add, Sub, Mul or Div.
bool IsArithmetic(const Node& node);

// What BatchNormalization with constant parameters does to `channels` channels.
std::optional<ChannelAffine> AffineOfBatchNormalization(const Matcher& matcher, const Node& node, int64_t channels);

// The same for arithmetic between `result`, of shape [N, channels, ...] with `rank` dimensions, and a constant.
std::optional<ChannelAffine> AffineOfArithmetic(const Matcher& matcher, const Node& node, ValueId result,
                                                int64_t channels, size_t rank);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_CHANNEL_AFFINE_H_
