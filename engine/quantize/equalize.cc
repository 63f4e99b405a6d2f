#include "engine/quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "engine/post_op.h"

namespace tandem::engine {

namespace {

constexpr int kMostSweeps = 40;
constexpr float kConverged = 1e-3f;     // factors this close to 1 end the sweeps
constexpr float kMostScaled = 256;      // a factor at a time, either way
constexpr float kBelowTheLimit = 0.5f;  // of a Clip: what calibration saw must leave room for what it did not

// The one reader of `id`, which nothing else sees.
NodeId OnlyReader(const Graph& graph, const std::vector<std::vector<NodeId>>& consumers, ValueId id) {
  return consumers[id].size() == 1 && !graph.IsOutput(id) ? consumers[id][0] : kNoNode;
}

// Whether scaling a channel of its operand by a positive factor scales that channel of its result: f(s x) = s f(x).
bool PassesScales(const Graph& graph, const Node& node) {
  if (!node.post_ops.empty()) return false;
  if (node.op == "GlobalAveragePool" || node.op == "AveragePool" || node.op == "GlobalMaxPool") return true;
  if (node.op == "MaxPool") return node.outputs.size() == 1;
  const std::optional<PostOp> activation = AsPostOp(graph, node);
  return activation.has_value() && (activation->op == "Relu" || activation->op == "LeakyRelu");
}

class PairFinder {
 public:
  PairFinder(const Graph& graph, const std::vector<Layer>& layers) : graph_(graph), consumers_(graph.Consumers()) {
    for (size_t i = 0; i < layers.size(); ++i) by_node_[layers[i].node] = i;
  }

  std::optional<EqualizedPair> PairOf(const Layer& layer) const {
    const Node& node = *graph_.node(layer.node);
    const int64_t channels = OutputChannels(layer, *graph_.ConstantOf(layer.weights));
    if (layer.groups > 1 && layer.channel_axis != 0) return std::nullopt;
    if (layer.bias != kNoValue && graph_.ConstantOf(layer.bias)->num_elements() != channels) return std::nullopt;
    const bool convolution = node.op == "Conv" || node.op == "ConvTranspose";
    EqualizedPair pair{.first = by_node_.at(layer.node), .second = 0, .axis = convolution ? 1 : -1};
    ValueId id = graph_.node(layer.bias == kNoValue ? layer.node : layer.bias_node)->outputs[0];
    bool pooled = false;
    for (NodeId reader; (reader = OnlyReader(graph_, consumers_, id)) != kNoNode;) {
      const Node& next = *graph_.node(reader);
      if (const auto second = by_node_.find(reader); second != by_node_.end()) {
        pair.second = second->second;
        return next.inputs[0] == id ? std::optional<EqualizedPair>(pair) : std::nullopt;
      }
      // Behind a global pool each sample is a row of channels, however that is shaped.
      const bool reshapes = pooled && (next.op == "Flatten" || next.op == "Reshape" || next.op == "Squeeze");
      if (!PassesScales(graph_, next) && !reshapes && !Clips(next, id, pair)) return std::nullopt;
      pooled = pooled || next.op == "GlobalAveragePool" || next.op == "GlobalMaxPool";
      id = next.outputs[0];
    }
    return std::nullopt;
  }

 private:
  bool Clips(const Node& node, ValueId id, EqualizedPair& pair) const {
    const std::optional<PostOp> clip = AsPostOp(graph_, node);
    if (!clip.has_value() || clip->op != "Clip" || clip->alpha != 0 || !(clip->beta > 0)) return false;
    if (pair.clipped != kNoValue) return false;
    pair.clipped = id;
    pair.limit = clip->beta;
    return true;
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> consumers_;
  std::map<NodeId, size_t> by_node_;
};

// The weights and biases as they change.
class Equalizer {
 public:
  Equalizer(const Graph& graph, const std::vector<Layer>& layers, const ChannelPeaks& peaks)
      : graph_(graph), layers_(layers), peaks_(peaks) {}

  // How far the largest factor was from 1.
  float Scale(const EqualizedPair& pair) {
    const Layer &first = layers_[pair.first], &second = layers_[pair.second];
    Tensor &before = WeightsOf(pair.first), &after = WeightsOf(pair.second);
    const ChannelValues made = OutputMagnitudes(first, before), read = InputMagnitudes(second, after);
    ChannelValues shrinks(made.size(), 1), grows(made.size(), 1);
    float farthest = 0;
    for (size_t i = 0; i < made.size(); ++i) {
      if (!(made[i] > 0) || !(read[i] > 0)) continue;
      float factor = std::clamp(std::sqrt(made[i] / read[i]), 1 / kMostScaled, kMostScaled);
      if (pair.clipped != kNoValue) factor = Limited(pair, i, factor);
      grows[i] = factor;
      shrinks[i] = 1 / factor;
      farthest = std::max(farthest, std::abs(std::log(factor)));
    }
    ScaleOutputs(first, shrinks, before);
    ScaleInputs(second, grows, after);
    if (first.bias != kNoValue) biases_[pair.first] = Scaled(BiasOf(pair.first), shrinks);
    if (pair.clipped != kNoValue) {
      for (size_t i = 0; i < shrinks.size(); ++i) peaks_[pair.clipped][i] *= shrinks[i];
    }
    return farthest;
  }

  Graph Finish() const {
    Graph graph = graph_;
    for (const auto& [layer, weights] : weights_) SetConstant(graph, layers_[layer].node, 1, weights);
    for (const auto& [layer, bias] : biases_) {
      const NodeId node = layers_[layer].bias_node;
      const auto& inputs = graph.node(node)->inputs;
      const auto at = std::find(inputs.begin(), inputs.end(), layers_[layer].bias) - inputs.begin();
      SetConstant(graph, node, static_cast<size_t>(at), bias);
    }
    return graph;
  }

 private:
  // A factor that keeps the channel below the limit of its Clip; 1 where it is not below.
  float Limited(const EqualizedPair& pair, size_t channel, float factor) const {
    const float peak = peaks_.at(pair.clipped)[channel], most = kBelowTheLimit * pair.limit;
    return peak > most ? 1 : std::max(factor, peak / most);
  }
  Tensor& WeightsOf(size_t layer) {
    const auto [it, added] = weights_.try_emplace(layer);
    if (added) it->second = graph_.ConstantOf(layers_[layer].weights)->Clone();
    return it->second;
  }
  const Tensor& BiasOf(size_t layer) const {
    const auto it = biases_.find(layer);
    return it != biases_.end() ? it->second : *graph_.ConstantOf(layers_[layer].bias);
  }

  const Graph& graph_;
  const std::vector<Layer>& layers_;
  ChannelPeaks peaks_;
  std::map<size_t, Tensor> weights_, biases_;  // by layer
};

}  // namespace

std::vector<EqualizedPair> FindEqualizedPairs(const Graph& graph, const std::vector<Layer>& layers) {
  const PairFinder finder(graph, layers);
  std::vector<EqualizedPair> pairs;
  for (const Layer& layer : layers) {
    const std::optional<EqualizedPair> pair = finder.PairOf(layer);
    if (!pair.has_value()) continue;
    // What is flattened with its pixels has more columns than there are channels.
    const int64_t made = OutputChannels(layer, *graph.ConstantOf(layer.weights));
    const Layer& second = layers[pair->second];
    if (InputChannels(second, *graph.ConstantOf(second.weights)) == made) pairs.push_back(*pair);
  }
  return pairs;
}

Graph Equalize(const Graph& graph, const std::vector<Layer>& layers, const std::vector<EqualizedPair>& pairs,
               const ChannelPeaks& peaks) {
  Equalizer equalizer(graph, layers, peaks);
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    float farthest = 0;
    for (const EqualizedPair& pair : pairs) farthest = std::max(farthest, equalizer.Scale(pair));
    if (farthest < kConverged) break;
  }
  return equalizer.Finish();
}

}  // namespace tandem::engine
