#include "engine/quantize/channels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/ops/dims.h"
#include "engine/quantize/calibrate.h"
#include "engine/quantize/graph_runner.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// Calls `f(channel, offset, count)` for each run of elements of one channel along `axis`.
template <typename F>
void ForEachRun(const Shape& shape, int64_t axis, F&& f) {
  const AxisView view = ViewAround(shape, axis);
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t i = 0; i < view.length; ++i) f(i, (outer * view.length + i) * view.inner, view.inner);
  }
}

// The same for the channels that the layer reads: the filters of a convolution in groups read their group's.
template <typename F>
void ForEachInputRun(const Layer& layer, const Shape& shape, F&& f) {
  const bool filters_first = layer.groups > 1 && layer.channel_axis == 0;
  const int64_t length = shape[layer.reduction_axis];
  const int64_t filters = filters_first ? shape[0] / layer.groups : 1;
  int64_t run = 0;
  ForEachRun(shape, layer.reduction_axis, [&](int64_t i, int64_t offset, int64_t count) {
    const int64_t group = filters_first ? run++ / length / filters : 0;
    f(group * length + i, offset, count);
  });
}

float Largest(absl::Span<const float> values) {
  float largest = 0;
  for (float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

void Multiply(absl::Span<float> values, float factor) {
  for (float& value : values) value *= factor;
}

}  // namespace

int64_t InputChannels(const Layer& layer, const Tensor& weights) {
  return weights.dim(layer.reduction_axis) * (layer.channel_axis == 0 ? layer.groups : 1);
}

int64_t OutputChannels(const Layer& layer, const Tensor& weights) {
  return weights.dim(layer.channel_axis) * (layer.channel_axis == 0 ? 1 : layer.groups);
}

ChannelValues InputMagnitudes(const Layer& layer, const Tensor& weights) {
  ChannelValues magnitudes(InputChannels(layer, weights), 0);
  const auto values = weights.values<float>();
  ForEachInputRun(layer, weights.shape(), [&](int64_t channel, int64_t offset, int64_t count) {
    magnitudes[channel] = std::max(magnitudes[channel], Largest(values.subspan(offset, count)));
  });
  return magnitudes;
}

ChannelValues OutputMagnitudes(const Layer& layer, const Tensor& weights) {
  ChannelValues magnitudes(weights.dim(layer.channel_axis), 0);
  const auto values = weights.values<float>();
  ForEachRun(weights.shape(), layer.channel_axis, [&](int64_t channel, int64_t offset, int64_t count) {
    magnitudes[channel] = std::max(magnitudes[channel], Largest(values.subspan(offset, count)));
  });
  return magnitudes;
}

void ScaleInputs(const Layer& layer, const ChannelValues& factors, Tensor& weights) {
  const auto values = weights.mutable_values<float>();
  ForEachInputRun(layer, weights.shape(), [&](int64_t channel, int64_t offset, int64_t count) {
    Multiply(values.subspan(offset, count), factors[channel]);
  });
}

void ScaleOutputs(const Layer& layer, const ChannelValues& factors, Tensor& weights) {
  const auto values = weights.mutable_values<float>();
  ForEachRun(weights.shape(), layer.channel_axis, [&](int64_t channel, int64_t offset, int64_t count) {
    Multiply(values.subspan(offset, count), factors[channel]);
  });
}

Tensor Scaled(const Tensor& tensor, const ChannelValues& factors) {
  Tensor result = tensor.Clone();
  const auto values = result.mutable_values<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[i];
  return result;
}

void SetConstant(Graph& graph, NodeId id, size_t input, Tensor tensor) {
  const std::string name = graph.value(graph.node(id)->inputs[input]).name;
  const ValueId constant = graph.AddConstant(name, std::move(tensor));
  graph.mutable_node(id).inputs[input] = constant;
}

absl::StatusOr<ChannelPeaks> FindPeaks(const Graph& graph, const std::map<ValueId, int64_t>& axes, Samples& samples,
                                       const std::vector<int64_t>& indices, int threads) {
  std::vector<ValueId> values;
  for (const auto& [id, axis] : axes) values.push_back(id);
  ChannelPeaks peaks;
  GraphRunner runner(WithOutputs(graph, values), threads);
  for (int64_t index : indices) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, samples.Read(index));
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, runner.Run(inputs));
    for (size_t i = 0; i < values.size(); ++i) {
      const int64_t axis = axes.at(values[i]) < 0 ? outputs[i].rank() - 1 : axes.at(values[i]);
      ChannelValues& peak = peaks[values[i]];
      peak.resize(outputs[i].dim(axis), 0);
      const auto numbers = outputs[i].values<float>();
      ForEachRun(outputs[i].shape(), axis, [&](int64_t channel, int64_t offset, int64_t count) {
        peak[channel] = std::max(peak[channel], Largest(numbers.subspan(offset, count)));
      });
    }
  }
  return peaks;
}

}  // namespace tandem::engine
