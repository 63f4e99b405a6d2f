#include "engine/quantize/smooth.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tandem::engine {

namespace {

class Finder {
 public:
  Finder(const Graph& graph, const std::vector<Layer>& layers) : graph_(graph), consumers_(graph.Consumers()) {
    for (size_t i = 0; i < layers.size(); ++i) {
      if (graph.node(layers[i].node)->op == "MatMul" || graph.node(layers[i].node)->op == "Gemm") {
        readers_[layers[i].input].push_back(i);
      }
    }
  }

  std::vector<SmoothedValue> Run(const std::vector<Layer>& layers) const {
    std::vector<SmoothedValue> values;
    for (const auto& [id, readers] : readers_) {
      if (graph_.IsOutput(id) || consumers_[id].size() != readers.size()) continue;
      SmoothedValue value{.value = id, .makers = {}, .readers = readers};
      const int64_t channels = InputChannels(layers[readers[0]], *graph_.ConstantOf(layers[readers[0]].weights));
      if (FindMakers(id, channels, value.makers)) values.push_back(std::move(value));
    }
    return values;
  }

 private:
  // One element a channel, along the last axis.
  bool IsByChannel(ValueId id, int64_t channels) const {
    const Tensor* constant = graph_.ConstantOf(id);
    return constant != nullptr && constant->type() == DataType::kFloat32 && constant->rank() > 0 &&
           constant->num_elements() == channels && constant->dim(-1) == channels;
  }

  // The constants that scale `id` when they are scaled; false when there are none.
  bool FindMakers(ValueId id, int64_t channels, std::vector<SmoothedValue::Constant>& makers) const {
    const NodeId producer = graph_.value(id).producer;
    if (producer == kNoNode) return false;
    const Node& node = *graph_.node(producer);
    if (!node.post_ops.empty()) return false;
    if (node.op == "LayerNormalization") {
      for (size_t i = 1; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == kNoValue) continue;
        if (!IsByChannel(node.inputs[i], channels)) return false;
        makers.push_back({producer, i});
      }
      return node.inputs.size() > 1 && node.inputs[1] != kNoValue;
    }
    if (node.op != "Mul" && node.op != "Add") return false;
    const size_t constant = graph_.ConstantOf(node.inputs[1]) != nullptr ? 1 : 0;
    if (!IsByChannel(node.inputs[constant], channels)) return false;
    makers.push_back({producer, constant});
    if (node.op == "Mul") return true;
    // Both terms of a sum must be scaled.
    const ValueId term = node.inputs[1 - constant];
    return consumers_[term].size() == 1 && !graph_.IsOutput(term) && FindMakers(term, channels, makers);
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> consumers_;
  std::map<ValueId, std::vector<size_t>> readers_;  // matrix products, by what they read
};

// By how much each channel is made smaller.
ChannelValues Divisors(const Graph& graph, const std::vector<Layer>& layers, const SmoothedValue& value,
                       const ChannelValues& peaks, float alpha) {
  ChannelValues weights(peaks.size(), 0);
  for (size_t reader : value.readers) {
    const ChannelValues own = InputMagnitudes(layers[reader], *graph.ConstantOf(layers[reader].weights));
    for (size_t i = 0; i < own.size(); ++i) weights[i] = std::max(weights[i], own[i]);
  }
  ChannelValues divisors(peaks.size(), 1);
  for (size_t i = 0; i < peaks.size(); ++i) {
    if (!(peaks[i] > 0) || !(weights[i] > 0)) continue;
    divisors[i] = std::clamp(std::pow(peaks[i], alpha) / std::pow(weights[i], 1 - alpha), 1e-4f, 1e4f);
  }
  return divisors;
}

}  // namespace

std::vector<SmoothedValue> FindSmoothedValues(const Graph& graph, const std::vector<Layer>& layers) {
  return Finder(graph, layers).Run(layers);
}

Graph Smooth(const Graph& graph, const std::vector<Layer>& layers, const std::vector<SmoothedValue>& values,
             const ChannelPeaks& peaks, float alpha) {
  Graph smoothed = graph;
  for (const SmoothedValue& value : values) {
    const ChannelValues divisors = Divisors(graph, layers, value, peaks.at(value.value), alpha);
    ChannelValues reciprocals;
    for (float divisor : divisors) reciprocals.push_back(1 / divisor);
    for (const SmoothedValue::Constant& maker : value.makers) {
      const Tensor& constant = *graph.ConstantOf(graph.node(maker.node)->inputs[maker.input]);
      SetConstant(smoothed, maker.node, maker.input, Scaled(constant, reciprocals));
    }
    for (size_t reader : value.readers) {
      Tensor weights = graph.ConstantOf(layers[reader].weights)->Clone();
      ScaleInputs(layers[reader], divisors, weights);
      SetConstant(smoothed, layers[reader].node, 1, std::move(weights));
    }
  }
  return smoothed;
}

}  // namespace tandem::engine
