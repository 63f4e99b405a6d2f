#include "engine/quantize/simulate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/quantize/bias.h"
#include "engine/quantize/node_runner.h"
#include "engine/quantize/ranges.h"
#include "engine/quantize/weights.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// How small the error must be beside that of the extremes for a range to be clipped.
constexpr double kClippingPays = 0.8;

// Samples that a layer's own mean error is measured on.
constexpr size_t kMostAlone = 32;

Tensor FakeQuantized(const Tensor& tensor, const QuantParams& params) {
  Tensor result(DataType::kFloat32, tensor.shape());
  FakeQuantize(params, tensor.values<float>(), result.mutable_values<float>());
  return result;
}

// Sums of squares: of `exact`, and of what `other` differs by.
struct Powers {
  double signal = 0, noise = 0;
  void Add(const Tensor& exact, const Tensor& other) {
    const auto a = exact.values<float>(), b = other.values<float>();
    for (size_t i = 0; i < a.size(); ++i) {
      const double difference = static_cast<double>(a[i]) - b[i];
      signal += static_cast<double>(a[i]) * a[i];
      noise += difference * difference;
    }
  }
  double Ratio() const { return signal > 0 ? noise / signal : noise > 0 ? 1 : 0; }
};

class Simulation {
 public:
  Simulation(const Graph& graph, const std::vector<Layer>& layers, const std::vector<SiteGroup>& groups,
             const Histograms& histograms, const SimulationOptions& options, Scheme& scheme)
      : graph_(graph), consumers_(graph.Consumers()), histograms_(histograms), options_(options), scheme_(scheme) {
    for (const Layer& layer : layers) {
      if (scheme.layers.count(layer.node) > 0) layers_[layer.node] = &layer;
    }
    for (const SiteGroup& group : groups) {
      for (ValueId id : group.values) groups_[id] = &group;
    }
  }

  absl::StatusOr<SimulationResult> Run(const std::vector<std::vector<Tensor>>& inputs);

 private:
  // Both sides of one sample, by value; undefined once no node needs them.
  struct Sides {
    std::vector<Tensor> exact, quantized;
  };

  absl::Status RunNode(NodeId id);
  absl::Status CorrectOwnBias(const Layer& layer, NodeRunner& runner, const std::vector<Tensor>& expected);
  absl::Status RunLayer(const Layer& layer, const std::vector<std::vector<Tensor>>& exact_outputs);
  std::vector<Tensor> InputsOf(const Node& node, const std::vector<Tensor>& values) const;
  // Stores sites, choosing their range if need be.
  absl::Status Store(ValueId id);
  absl::Status ChooseRange(ValueId id);
  absl::StatusOr<double> ErrorOfReaders(ValueId id, const QuantParams& params);
  void Release(const Node& node);

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> consumers_;
  const Histograms& histograms_;
  const SimulationOptions& options_;
  Scheme& scheme_;
  std::map<NodeId, const Layer*> layers_;
  std::map<ValueId, const SiteGroup*> groups_;
  std::vector<Sides> samples_;
  std::vector<int> readers_left_;
  std::map<ValueId, std::vector<Tensor>> raw_outputs_;  // quantized outputs of the graph, as they leave it
  // While a range is chosen: the readers' plans and exact results.
  std::map<NodeId, std::unique_ptr<NodeRunner>> readers_;
  std::map<NodeId, std::vector<Tensor>> reader_results_;
  SimulationResult result_;
  const Tensor own_weights_;  // none but the node's
};

std::vector<Tensor> Simulation::InputsOf(const Node& node, const std::vector<Tensor>& values) const {
  std::vector<Tensor> inputs;
  for (ValueId id : node.inputs) {
    inputs.push_back(id == kNoValue || graph_.value(id).is_constant() ? Tensor() : values[id]);
  }
  return inputs;
}

absl::StatusOr<double> Simulation::ErrorOfReaders(ValueId id, const QuantParams& params) {
  const size_t count = std::min<size_t>(samples_.size(), options_.range_samples);
  double error = 0;
  bool read_by_layer = false;
  for (NodeId reader : consumers_[id]) {
    const auto layer = layers_.find(reader);
    if (layer == layers_.end() || layer->second->input != id) continue;
    read_by_layer = true;
    std::unique_ptr<NodeRunner>& runner = readers_[reader];
    std::vector<Tensor>& expected = reader_results_[reader];
    if (runner == nullptr) {
      runner = std::make_unique<NodeRunner>(graph_, *graph_.node(reader), options_.threads, own_weights_);
      for (size_t s = 0; s < count; ++s) {
        TANDEM_ASSIGN_OR_RETURN(const auto outputs, runner->Run(InputsOf(*graph_.node(reader), samples_[s].exact)));
        expected.push_back(outputs[0]);
      }
    }
    Powers powers;
    for (size_t s = 0; s < count; ++s) {
      std::vector<Tensor> inputs = InputsOf(*graph_.node(reader), samples_[s].exact);
      inputs[0] = FakeQuantized(inputs[0], params);
      TANDEM_ASSIGN_OR_RETURN(const auto outputs, runner->Run(inputs));
      powers.Add(expected[s], outputs[0]);
    }
    error += powers.Ratio();
  }
  if (read_by_layer) return error;
  // Read behind data movement only: the error of the value itself.
  Powers powers;
  for (size_t s = 0; s < count; ++s) powers.Add(samples_[s].exact[id], FakeQuantized(samples_[s].exact[id], params));
  return powers.Ratio();
}

absl::Status Simulation::ChooseRange(ValueId id) {
  const SiteGroup& group = *groups_.at(id);
  Histogram all;
  for (ValueId member : group.values) all.Merge(histograms_.at(member));
  QuantParams best;
  const char* name = "";
  double least = 0;
  bool best_is_extremes = true;
  for (const RangeCandidate& candidate : RangeCandidates(all)) {
    QuantParams params = ParamsForRange(candidate.low, candidate.high);
    if (options_.power_of_two) params = WithPowerOfTwo(params, candidate.low, candidate.high);
    TANDEM_ASSIGN_OR_RETURN(const double error, ErrorOfReaders(id, params));
    // Clipping must pay: what no sample here holds may come.
    if (*name != '\0' && error >= least * (best_is_extremes ? kClippingPays : 1)) continue;
    best_is_extremes = *name == '\0';
    best = params;
    name = candidate.name;
    least = error;
    if (options_.extremes_only) break;  // they come first
  }
  readers_.clear();
  reader_results_.clear();
  for (ValueId member : group.values) {
    scheme_.activations[member] = best;
    result_.range_names[member] = name;
  }
  return absl::OkStatus();
}

absl::Status Simulation::Store(ValueId id) {
  if (graph_.IsOutput(id)) {
    for (const Sides& sides : samples_) raw_outputs_[id].push_back(sides.quantized[id]);
  }
  if (groups_.count(id) == 0) return absl::OkStatus();
  if (scheme_.activations.count(id) == 0) TANDEM_RETURN_IF_ERROR(ChooseRange(id));
  for (Sides& sides : samples_) sides.quantized[id] = FakeQuantized(sides.quantized[id], scheme_.activations.at(id));
  return absl::OkStatus();
}

// What the layer makes of exact operands, stored in 8 bits.
absl::Status Simulation::CorrectOwnBias(const Layer& layer, NodeRunner& runner, const std::vector<Tensor>& expected) {
  const Node& node = *graph_.node(layer.node);
  const QuantParams& params = scheme_.activations.at(layer.input);
  std::vector<Tensor> results;
  for (size_t s = 0; s < std::min(samples_.size(), kMostAlone); ++s) {
    std::vector<Tensor> inputs = InputsOf(node, samples_[s].exact);
    inputs[0] = FakeQuantized(inputs[0], params);
    TANDEM_ASSIGN_OR_RETURN(auto outputs, runner.Run(inputs));
    results.push_back(std::move(outputs[0]));
  }
  LayerScheme& scheme = scheme_.layers.at(layer.node);
  LayerScheme alone{.weights = {}, .scales = {}, .bias = scheme.bias, .own_bias = {}};
  CorrectBias(graph_, layer, expected, results, alone);
  scheme.own_bias = alone.bias;
  return absl::OkStatus();
}

absl::Status Simulation::RunLayer(const Layer& layer, const std::vector<std::vector<Tensor>>& exact_outputs) {
  const Node& node = *graph_.node(layer.node);
  LayerScheme& scheme = scheme_.layers.at(layer.node);
  NodeRunner runner(graph_, node, options_.threads, DequantizeWeights(scheme, layer.channel_axis));
  std::vector<Tensor> results;
  for (const Sides& sides : samples_) {
    TANDEM_ASSIGN_OR_RETURN(auto outputs, runner.Run(InputsOf(node, sides.quantized)));
    results.push_back(std::move(outputs[0]));
  }
  std::vector<Tensor> expected;
  for (const auto& outputs : exact_outputs) expected.push_back(outputs[0]);
  if (options_.correct_bias) {
    TANDEM_RETURN_IF_ERROR(CorrectOwnBias(layer, runner, expected));
    CorrectBias(graph_, layer, expected, results, scheme);
  }
  Powers powers;
  for (size_t s = 0; s < samples_.size(); ++s) {
    powers.Add(expected[s], results[s]);
    samples_[s].quantized[node.outputs[0]] = std::move(results[s]);
  }
  result_.layer_noise[layer.node] = powers.Ratio();
  return absl::OkStatus();
}

absl::Status Simulation::RunNode(NodeId id) {
  const Node& node = *graph_.node(id);
  const auto layer = layers_.find(id);
  NodeRunner runner(graph_, node, options_.threads, own_weights_);
  std::vector<std::vector<Tensor>> exact_outputs;
  for (Sides& sides : samples_) {
    const std::vector<Tensor> inputs = InputsOf(node, sides.exact), quantized = InputsOf(node, sides.quantized);
    TANDEM_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, runner.Run(inputs));
    const bool same = std::equal(inputs.begin(), inputs.end(), quantized.begin(),
                                 [](const Tensor& a, const Tensor& b) { return a.data() == b.data(); });
    std::vector<Tensor> others = outputs;
    if (layer == layers_.end() && !same) {
      TANDEM_ASSIGN_OR_RETURN(others, runner.Run(quantized));
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      sides.exact[node.outputs[i]] = outputs[i];
      sides.quantized[node.outputs[i]] = others[i];
    }
    exact_outputs.push_back(std::move(outputs));
  }
  if (layer != layers_.end()) TANDEM_RETURN_IF_ERROR(RunLayer(*layer->second, exact_outputs));
  for (ValueId output : node.outputs) {
    if (output != kNoValue) TANDEM_RETURN_IF_ERROR(Store(output));
  }
  Release(node);
  return absl::OkStatus();
}

void Simulation::Release(const Node& node) {
  const auto release = [&](ValueId id) {
    for (Sides& sides : samples_) {
      sides.quantized[id] = Tensor();
      if (!graph_.IsOutput(id)) sides.exact[id] = Tensor();
    }
  };
  for (ValueId id : node.inputs) {
    if (id != kNoValue && --readers_left_[id] == 0) release(id);
  }
  for (ValueId id : node.outputs) {
    if (id != kNoValue && readers_left_[id] == 0) release(id);
  }
}

absl::StatusOr<SimulationResult> Simulation::Run(const std::vector<std::vector<Tensor>>& inputs) {
  for (const auto& readers : consumers_) readers_left_.push_back(static_cast<int>(readers.size()));
  samples_.resize(inputs.size());
  for (size_t s = 0; s < inputs.size(); ++s) {
    samples_[s].exact.resize(graph_.num_values());
    for (size_t i = 0; i < inputs[s].size(); ++i) samples_[s].exact[graph_.inputs()[i]] = inputs[s][i];
    samples_[s].quantized = samples_[s].exact;
  }
  for (ValueId id : graph_.inputs()) TANDEM_RETURN_IF_ERROR(Store(id));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<NodeId> order, graph_.TopologicalOrder());
  for (size_t i = 0; i < order.size(); ++i) {
    TANDEM_RETURN_IF_ERROR(RunNode(order[i]));
    options_.progress(static_cast<double>(i + 1) / static_cast<double>(order.size()));
  }
  for (size_t s = 0; s < samples_.size(); ++s) {
    std::vector<Tensor> exact, quantized;
    for (ValueId id : graph_.outputs()) {
      const Tensor* constant = graph_.ConstantOf(id);
      exact.push_back(constant != nullptr ? *constant : samples_[s].exact[id]);
      quantized.push_back(constant != nullptr ? *constant : raw_outputs_.at(id)[s]);
    }
    result_.exact.push_back(std::move(exact));
    result_.quantized.push_back(std::move(quantized));
  }
  return std::move(result_);
}

}  // namespace

absl::StatusOr<SimulationResult> Simulate(const Graph& graph, const std::vector<Layer>& layers,
                                          const std::vector<SiteGroup>& groups, const Histograms& histograms,
                                          const std::vector<std::vector<Tensor>>& inputs,
                                          const SimulationOptions& options, Scheme& scheme) {
  return Simulation(graph, layers, groups, histograms, options, scheme).Run(inputs);
}

}  // namespace tandem::engine
