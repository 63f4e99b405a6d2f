#include "engine/quantize/build.h"

#include <algorithm>
#include <utility>

#include "engine/compile/saturation.h"
#include "engine/quantize/insert.h"
#include "engine/quantize/sites.h"
#include "engine/quantize/weights.h"
#include "engine/status.h"

namespace tandem::engine {

std::vector<SiteGroup> Workbench::Sites(const std::vector<bool>& int8) const {
  std::vector<SiteGroup> groups = FindSites(graph_, layers_, int8);
  if (histograms_.empty()) return groups;
  for (SiteGroup& group : groups) {
    auto& values = group.values;
    values.erase(std::remove_if(values.begin(), values.end(), [&](ValueId id) { return histograms_.count(id) == 0; }),
                 values.end());
  }
  return groups;
}

absl::StatusOr<Built> Workbench::Build(const std::vector<bool>& int8, const Recipe& recipe,
                                       const std::function<void(double)>& progress) const {
  Built built;
  built.int8 = int8;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (!int8[i]) continue;
    const Layer& layer = layers_[i];
    const Tensor& weights = *graph_.ConstantOf(layer.weights);
    LayerScheme& scheme = built.scheme.layers[layer.node];
    scheme = recipe.binary ? BinarizeWeights(weights, layer.channel_axis)
                           : QuantizeWeights(weights, layer.channel_axis, {.power_of_two = recipe.power_of_two});
    if (recipe.saturating && MaySaturate(scheme.weights, layer.reduction_axis)) {
      scheme = QuantizeWeights(weights, layer.channel_axis,
                               {.pair_axis = layer.reduction_axis, .power_of_two = recipe.power_of_two});
      built.limited.push_back(i);
    }
    if (layer.bias != kNoValue) scheme.bias = *graph_.ConstantOf(layer.bias);
  }
  SimulationOptions options{.threads = threads_};
  options.extremes_only = recipe.extremes_only;
  options.power_of_two = recipe.power_of_two;
  options.progress = progress;
  TANDEM_ASSIGN_OR_RETURN(built.simulation,
                          Simulate(graph_, layers_, Sites(int8), histograms_, inputs_, options, built.scheme));
  return built;
}

Graph Workbench::GraphOf(const Built& built, const std::vector<bool>& int8) const {
  std::map<NodeId, LayerScheme> layers;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (int8[i]) layers[layers_[i].node] = built.scheme.layers.at(layers_[i].node);
  }
  return GraphWith(built, int8, std::move(layers));
}

Graph Workbench::GraphOfOne(const Built& built, size_t layer) const {
  std::vector<bool> int8(layers_.size(), false);
  int8[layer] = true;
  LayerScheme scheme = built.scheme.layers.at(layers_[layer].node);
  scheme.bias = scheme.own_bias;
  return GraphWith(built, int8, {{layers_[layer].node, std::move(scheme)}});
}

Graph Workbench::GraphWith(const Built& built, const std::vector<bool>& int8,
                           std::map<NodeId, LayerScheme> layers) const {
  Scheme scheme{.layers = std::move(layers), .activations = {}};
  for (const SiteGroup& group : Sites(int8)) {
    for (ValueId id : group.values) {
      const auto it = built.scheme.activations.find(id);
      if (it != built.scheme.activations.end()) scheme.activations.insert(*it);
    }
  }
  return InsertQuantization(graph_, layers_, scheme);
}

}  // namespace tandem::engine
