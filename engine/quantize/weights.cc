#include "engine/quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/dims.h"

namespace tandem::engine {

namespace {

// Calls `f(offset, count)` for each run of elements of one channel.
template <typename F>
void ForEachRun(const AxisView& view, int64_t channel, F&& f) {
  for (int64_t outer = 0; outer < view.outer; ++outer) f((outer * view.length + channel) * view.inner, view.inner);
}

float Stored(float value, float scale, float limit) { return std::clamp(std::nearbyint(value / scale), -limit, limit); }

double SquaredError(absl::Span<const float> weights, const AxisView& view, int64_t channel, float scale, float limit) {
  double error = 0;
  ForEachRun(view, channel, [&](int64_t offset, int64_t count) {
    for (int64_t i = offset; i < offset + count; ++i) {
      const double difference = weights[i] - Stored(weights[i], scale, limit) * scale;
      error += difference * difference;
    }
  });
  return error;
}

float BestScale(absl::Span<const float> weights, const AxisView& view, int64_t channel, float largest,
                const WeightOptions& options) {
  const auto limit = static_cast<float>(options.limit);
  float best = largest / limit;
  if (options.power_of_two) {
    const float above = std::exp2(std::ceil(std::log2(best))), below = above / 2;
    const bool narrower =
        options.clip && below > 0 &&
        SquaredError(weights, view, channel, below, limit) < SquaredError(weights, view, channel, above, limit);
    return narrower ? below : above;
  }
  if (!options.clip) return best;
  double least = SquaredError(weights, view, channel, best, limit);
  constexpr int kSteps = 20;
  for (int step = 1; step < kSteps; ++step) {
    const float scale = largest * (1 - 0.02f * static_cast<float>(step)) / limit;
    if (!(scale > 0)) break;
    const double error = SquaredError(weights, view, channel, scale, limit);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

}  // namespace

LayerScheme QuantizeWeights(const Tensor& weights, int64_t channel_axis, const WeightOptions& options) {
  const AxisView view = ViewAround(weights.shape(), channel_axis);
  const auto from = weights.values<float>();
  LayerScheme scheme;
  scheme.weights = Tensor(DataType::kInt8, weights.shape());
  const auto to = scheme.weights.mutable_values<int8_t>();
  const auto limit = static_cast<float>(options.limit);
  for (int64_t channel = 0; channel < view.length; ++channel) {
    float largest = 0;
    ForEachRun(view, channel, [&](int64_t offset, int64_t count) {
      for (int64_t i = offset; i < offset + count; ++i) largest = std::max(largest, std::abs(from[i]));
    });
    float scale = BestScale(from, view, channel, largest, options);
    if (!(scale > 0)) scale = 1;  // a channel of zeros, or of numbers so small that they are none
    scheme.scales.push_back(scale);
    ForEachRun(view, channel, [&](int64_t offset, int64_t count) {
      for (int64_t i = offset; i < offset + count; ++i) to[i] = static_cast<int8_t>(Stored(from[i], scale, limit));
    });
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
