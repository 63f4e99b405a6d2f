#include "engine/quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/types/span.h"
#include "engine/compile/saturation.h"
#include "engine/ops/dims.h"

namespace tandem::engine {

namespace {

// Calls `f(offset, count)` for each run of elements of one channel.
template <typename F>
void ForEachRun(const AxisView& view, int64_t channel, F&& f) {
  for (int64_t outer = 0; outer < view.outer; ++outer) f((outer * view.length + channel) * view.inner, view.inner);
}

// The elements of one channel as they lie, or, where pairs of them are limited, neighbours along that axis side by
// side.
std::vector<int64_t> ElementsOf(const Tensor& weights, int64_t channel_axis, int64_t channel,
                                std::optional<int64_t> pair_axis) {
  std::vector<int64_t> elements;
  const AxisView line = pair_axis ? ViewAround(weights.shape(), *pair_axis) : AxisView{};
  ForEachRun(ViewAround(weights.shape(), channel_axis), channel, [&](int64_t offset, int64_t count) {
    for (int64_t i = offset; i < offset + count; ++i) {
      if (i / line.inner % line.length != 0) continue;  // stands in the line of the first
      for (int64_t k = 0; k < line.length; ++k) elements.push_back(i + k * line.inner);
    }
  });
  return elements;
}

// Takes from a pair of one sign what it is too much, the odd one from the weight that was rounded up further.
void LowerPair(absl::Span<const float> exact, absl::Span<float> stored) {
  const float excess = std::abs(stored[0]) + std::abs(stored[1]) - kMostOfPair;
  const float less = std::floor(excess / 2), more = excess - less;
  const bool first = std::abs(stored[0]) - std::abs(exact[0]) >= std::abs(stored[1]) - std::abs(exact[1]);
  stored[0] -= std::copysign(first ? more : less, stored[0]);
  stored[1] -= std::copysign(first ? less : more, stored[1]);
}

// Rounds the weights of a channel.
class ChannelRounding {
 public:
  // Of the `weights`, each `line` in turn holds neighbours that are limited in pairs.
  ChannelRounding(std::vector<float> weights, int64_t line, const WeightOptions& options)
      : weights_(std::move(weights)),
        exact_(weights_.size()),
        stored_(weights_.size()),
        line_(static_cast<size_t>(line)),
        options_(options) {}

  absl::Span<const float> Round(float scale) {
    for (size_t i = 0; i < weights_.size(); ++i) {
      exact_[i] = weights_[i] / scale;
      stored_[i] = std::clamp(std::nearbyint(exact_[i]), -kLargest, kLargest);
    }
    for (size_t i = 1; line_ > 1 && i < stored_.size(); ++i) {
      if (i % line_ == 0 || !PairPasses(stored_[i - 1], stored_[i])) continue;
      LowerPair(absl::MakeConstSpan(exact_).subspan(i - 1, 2), absl::MakeSpan(stored_).subspan(i - 1, 2));
    }
    return stored_;
  }

  // The scale that errs least in the squares; 0 for a channel of zeros.
  float BestScale() {
    float largest = 0;
    for (float weight : weights_) largest = std::max(largest, std::abs(weight));
    const float full = largest / kLargest;
    if (options_.power_of_two) {
      const float above = std::exp2(std::ceil(std::log2(full)));
      return BestOf(line_ > 1       ? std::vector<float>{above, above / 2, above * 2}
                    : options_.clip ? std::vector<float>{above, above / 2}
                                    : std::vector<float>{above});
    }
    // Smaller: some weights are clipped. Larger, up to where no pair is lowered: all are rounded more coarsely.
    std::vector<float> scales = {full};
    for (int step = 1; options_.clip && step < 20; ++step) scales.push_back(full * (1 - 0.02f * step));
    for (int step = 1; line_ > 1 && step <= 50; ++step) scales.push_back(full * (1 + 0.02f * step));
    return BestOf(scales);
  }

 private:
  static constexpr float kLargest = 127;

  float BestOf(const std::vector<float>& scales) {
    float best = scales[0];
    if (scales.size() == 1) return best;
    double least = std::numeric_limits<double>::infinity();
    for (float scale : scales) {
      if (!(scale > 0)) continue;
      const double error = SquaredError(scale);
      if (error < least) {
        least = error;
        best = scale;
      }
    }
    return best;
  }

  double SquaredError(float scale) {
    Round(scale);
    double error = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const double difference = weights_[i] - stored_[i] * scale;
      error += difference * difference;
    }
    return error;
  }

  std::vector<float> weights_, exact_, stored_;
  const size_t line_;
  const WeightOptions& options_;
};

}  // namespace

LayerScheme QuantizeWeights(const Tensor& weights, int64_t channel_axis, const WeightOptions& options) {
  const auto from = weights.values<float>();
  LayerScheme scheme;
  scheme.weights = Tensor(DataType::kInt8, weights.shape());
  const auto to = scheme.weights.mutable_values<int8_t>();
  const int64_t line = options.pair_axis ? weights.dim(*options.pair_axis) : 1;
  for (int64_t channel = 0; channel < weights.dim(channel_axis); ++channel) {
    const std::vector<int64_t> elements = ElementsOf(weights, channel_axis, channel, options.pair_axis);
    std::vector<float> of_channel;
    of_channel.reserve(elements.size());
    for (int64_t i : elements) of_channel.push_back(from[i]);
    ChannelRounding rounding(std::move(of_channel), line, options);
    float scale = rounding.BestScale();
    if (!(scale > 0)) scale = 1;  // a channel of zeros, or of numbers so small that they are none
    scheme.scales.push_back(scale);
    const absl::Span<const float> stored = rounding.Round(scale);
    for (size_t i = 0; i < elements.size(); ++i) to[elements[i]] = static_cast<int8_t>(stored[i]);
  }
  return scheme;
}

LayerScheme BinarizeWeights(const Tensor& weights, int64_t channel_axis) {
  const AxisView view = ViewAround(weights.shape(), channel_axis);
  const auto from = weights.values<float>();
  LayerScheme scheme;
  scheme.weights = Tensor(DataType::kInt8, weights.shape());
  const auto to = scheme.weights.mutable_values<int8_t>();
  for (int64_t channel = 0; channel < view.length; ++channel) {
    double sum = 0;
    ForEachRun(view, channel, [&](int64_t offset, int64_t count) {
      for (int64_t i = offset; i < offset + count; ++i) {
        sum += std::abs(from[i]);
        to[i] = from[i] < 0 ? -1 : 1;
      }
    });
    const auto mean = static_cast<float>(sum / static_cast<double>(view.outer * view.inner));
    scheme.scales.push_back(mean > 0 ? mean : std::numeric_limits<float>::min());
  }
  return scheme;
}

Tensor DequantizeWeights(const LayerScheme& scheme, int64_t channel_axis) {
  const AxisView view = ViewAround(scheme.weights.shape(), channel_axis);
  Tensor weights(DataType::kFloat32, scheme.weights.shape());
  const auto from = scheme.weights.values<int8_t>();
  const auto to = weights.mutable_values<float>();
  for (int64_t channel = 0; channel < view.length; ++channel) {
    const float scale = scheme.scales[channel];
    ForEachRun(view, channel, [&](int64_t offset, int64_t count) {
      for (int64_t i = offset; i < offset + count; ++i) to[i] = static_cast<float>(from[i]) * scale;
    });
  }
  return weights;
}

}  // namespace tandem::engine
