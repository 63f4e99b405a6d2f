#include "engine/quantize/insert.h"

#include <cmath>
#include <utility>

namespace tandem::engine {

namespace {

class Inserter {
 public:
  Inserter(const Graph& graph, const std::vector<Layer>& layers, const Scheme& scheme)
      : graph_(graph), scheme_(scheme), raw_(graph.num_values(), kNoValue), read_(graph.num_values(), kNoValue) {
    for (const Layer& layer : layers) {
      if (scheme.layers.count(layer.node) == 0) continue;
      layers_[layer.node] = &layer;
      if (layer.bias_node != kNoNode && layer.bias_node != layer.node) adds_[layer.bias_node] = &layer;
    }
  }

  Graph Run() {
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      const Value& value = graph_.value(id);
      if (value.is_constant()) raw_[id] = read_[id] = result_.AddConstant(value.name, value.constant);
    }
    for (ValueId id : graph_.inputs()) {
      Define(id);
      result_.AddInput(raw_[id]);
    }
    const auto order = graph_.TopologicalOrder();
    TANDEM_CHECK(order.ok(), "the graph was checked when it was made");
    for (NodeId id : *order) AddNode(id);
    for (ValueId id : graph_.outputs()) result_.AddOutput(raw_[id]);
    result_.RemoveDead();
    return std::move(result_);
  }

 private:
  // A copy of value `id`; for a site it is not quantized yet.
  void Define(ValueId id) {
    Value value = graph_.value(id);
    value.producer = kNoNode;
    raw_[id] = read_[id] = result_.AddValue(std::move(value));
    if (graph_.value(id).producer == kNoNode) Quantize(id);
  }

  // The value that readers of site `id` see.
  void Quantize(ValueId id) {
    const auto it = scheme_.activations.find(id);
    if (it == scheme_.activations.end()) return;
    const Value& value = graph_.value(id);
    const ValueId scale = result_.AddConstant(value.name + "_scale", Tensor::Scalar<float>(it->second.scale));
    const ValueId zero = result_.AddConstant(value.name + "_zero_point",
                                             Tensor::Scalar<uint8_t>(static_cast<uint8_t>(it->second.zero_point)));
    const ValueId stored =
        Append("QuantizeLinear", value.name + "_quantized", {raw_[id], scale, zero}, {}, DataType::kUInt8, value.shape);
    read_[id] = Append("DequantizeLinear", value.name + "_dequantized", {stored, scale, zero}, {}, DataType::kFloat32,
                       value.shape);
  }

  void AddNode(NodeId id) {
    Node node = *graph_.node(id);
    for (ValueId& input : node.inputs) input = input == kNoValue ? kNoValue : read_[input];
    if (const auto it = layers_.find(id); it != layers_.end()) SetWeights(*it->second, node);
    if (const auto it = adds_.find(id); it != adds_.end()) SetAddedBias(*it->second, node);
    for (ValueId& output : node.outputs) {
      if (output == kNoValue) continue;
      Define(output);
      output = raw_[output];
    }
    result_.AddNode(std::move(node));
    for (ValueId output : graph_.node(id)->outputs) {
      if (output != kNoValue) Quantize(output);
    }
  }

  void SetWeights(const Layer& layer, Node& node) {
    const LayerScheme& scheme = scheme_.layers.at(layer.node);
    const std::string name = graph_.value(layer.weights).name;
    const auto channels = static_cast<int64_t>(scheme.scales.size());
    node.inputs[1] = Dequantized(name, scheme.weights, Tensor::Of<float>({channels}, scheme.scales),
                                 Tensor(DataType::kInt8, {channels}), layer.channel_axis);
    if (!scheme.bias.defined() || layer.bias_node != layer.node) return;
    node.inputs.resize(3, kNoValue);
    node.inputs[2] = Bias(layer, scheme);
  }

  // Behind a MatMul the bias is an operand of an Add.
  void SetAddedBias(const Layer& layer, Node& add) {
    const ValueId bias =
        result_.AddConstant(graph_.value(layer.bias).name + "_corrected", scheme_.layers.at(layer.node).bias);
    for (size_t i = 0; i < add.inputs.size(); ++i) {
      if (graph_.node(layer.bias_node)->inputs[i] == layer.bias) add.inputs[i] = bias;
    }
  }

  ValueId Bias(const Layer& layer, const LayerScheme& scheme) {
    const std::string name = graph_.value(layer.bias == kNoValue ? layer.weights : layer.bias).name + "_bias";
    const auto bias = scheme.bias.values<float>();
    const auto channels = static_cast<int64_t>(bias.size());
    const auto site = scheme_.activations.find(layer.input);
    // With groups, weights of a transposed convolution share scales across them and the bias has more channels.
    if (site == scheme_.activations.end() || scheme.bias.rank() != 1 || bias.size() != scheme.scales.size()) {
      return result_.AddConstant(name, scheme.bias);
    }
    Tensor stored(DataType::kInt32, {channels}), scales(DataType::kFloat32, {channels});
    for (int64_t i = 0; i < channels; ++i) {
      const float scale = site->second.scale * scheme.scales[i];
      const double value = std::nearbyint(static_cast<double>(bias[i]) / scale);
      if (!(scale > 0) || std::abs(value) > 0x1p30) return result_.AddConstant(name, scheme.bias);
      scales.mutable_values<float>()[i] = scale;
      stored.mutable_values<int32_t>()[i] = static_cast<int32_t>(value);
    }
    return Dequantized(name, std::move(stored), std::move(scales), Tensor(DataType::kInt32, {channels}), 0);
  }

  ValueId Dequantized(const std::string& name, Tensor stored, Tensor scales, Tensor zeros, int64_t axis) {
    const Shape shape = stored.shape();
    const ValueId quantized = result_.AddConstant(name + "_quantized", std::move(stored));
    const ValueId scale = result_.AddConstant(name + "_scale", std::move(scales));
    const ValueId zero = result_.AddConstant(name + "_zero_point", std::move(zeros));
    Attributes attributes;
    attributes.Set("axis", axis);
    return Append("DequantizeLinear", name + "_dequantized", {quantized, scale, zero}, std::move(attributes),
                  DataType::kFloat32, shape);
  }

  ValueId Append(const char* op, std::string name, std::vector<ValueId> inputs, Attributes attributes, DataType type,
                 std::optional<Shape> shape) {
    Value value;
    value.name = name;
    value.type = type;
    value.shape = std::move(shape);
    const ValueId output = result_.AddValue(std::move(value));
    Node node;
    node.op = op;
    node.name = std::move(name);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attributes = std::move(attributes);
    result_.AddNode(std::move(node));
    return output;
  }

  const Graph& graph_;
  const Scheme& scheme_;
  std::map<NodeId, const Layer*> layers_;  // those in int8
  std::map<NodeId, const Layer*> adds_;    // nodes that add their biases
  Graph result_;
  std::vector<ValueId> raw_;   // by the graph's values: the value itself
  std::vector<ValueId> read_;  // what its readers see
};

}  // namespace

Graph InsertQuantization(const Graph& graph, const std::vector<Layer>& layers, const Scheme& scheme) {
  return Inserter(graph, layers, scheme).Run();
}

}  // namespace tandem::engine
