#include "engine/quantize/scheme.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/ops/quantize.h"

namespace tandem::engine {

QuantParams ParamsForRange(float low, float high) {
  low = std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  QuantParams params;
  if (!(high > low)) return params;
  params.scale = (high - low) / 255.0f;
  if (!(params.scale > 0)) params.scale = 1;  // so narrow that it is nothing
  params.zero_point = static_cast<int>(std::clamp(std::nearbyint(-low / params.scale), 0.0f, 255.0f));
  return params;
}

QuantParams WithPowerOfTwo(const QuantParams& params, float low, float high) {
  QuantParams rounded;
  rounded.scale = std::exp2(std::ceil(std::log2(params.scale)));
  const float middle = 127.5f - (std::max(high, 0.0f) + std::min(low, 0.0f)) / 2 / rounded.scale;
  // What is never negative keeps zero at the low end.
  rounded.zero_point = low >= 0 ? 0 : static_cast<int>(std::clamp(std::nearbyint(middle), 0.0f, 255.0f));
  return rounded;
}

void FakeQuantize(const QuantParams& params, absl::Span<const float> values, absl::Span<float> out) {
  const Quantizer<uint8_t> quantizer(static_cast<uint8_t>(params.zero_point));
  const float scale = params.scale;
  for (size_t i = 0; i < values.size(); ++i) {
    out[i] = static_cast<float>(quantizer(values[i] / scale) - params.zero_point) * scale;
  }
}

namespace {

bool IsFloatConstant(const Graph& graph, ValueId id, int64_t least_rank, int64_t most_rank) {
  const Tensor* constant = graph.ConstantOf(id);
  return constant != nullptr && constant->type() == DataType::kFloat32 && constant->num_elements() > 0 &&
         constant->rank() >= least_rank && constant->rank() <= most_rank;
}

// The Add of one constant a column behind a MatMul.
void FindBiasBehind(const Graph& graph, const std::vector<std::vector<NodeId>>& consumers, Layer& layer) {
  const ValueId product = graph.node(layer.node)->outputs[0];
  if (consumers[product].size() != 1 || graph.IsOutput(product)) return;
  const NodeId reader = consumers[product][0];
  const Node& add = *graph.node(reader);
  if (add.op != "Add" || !add.post_ops.empty()) return;
  const ValueId bias = add.inputs[0] == product ? add.inputs[1] : add.inputs[0];
  const int64_t columns = graph.ConstantOf(layer.weights)->dim(1);
  if (!IsFloatConstant(graph, bias, 1, 8) || graph.ConstantOf(bias)->num_elements() != columns ||
      graph.ConstantOf(bias)->dim(-1) != columns) {
    return;
  }
  layer.bias_node = reader;
  layer.bias = bias;
}

std::optional<Layer> AsLayer(const Graph& graph, const std::vector<std::vector<NodeId>>& consumers, NodeId id) {
  const Node& node = *graph.node(id);
  const bool convolution = node.op == "Conv" || node.op == "ConvTranspose";
  if (!convolution && node.op != "Gemm" && node.op != "MatMul") return std::nullopt;
  if (!node.post_ops.empty() || node.inputs.size() < 2) return std::nullopt;
  Layer layer{.node = id, .input = node.inputs[0], .weights = node.inputs[1]};
  if (graph.ConstantOf(layer.input) != nullptr || graph.value(layer.input).type != DataType::kFloat32) {
    return std::nullopt;
  }
  if (!IsFloatConstant(graph, layer.weights, convolution ? 3 : 2, convolution ? 5 : 2)) return std::nullopt;
  layer.channel_axis = node.op == "Conv" ? 0 : 1;
  if (convolution) layer.groups = node.attributes.Int("group", 1);
  if (node.op == "Gemm") {
    const Attributes& attributes = node.attributes;
    if (attributes.Int("transA", 0) != 0 || attributes.Float("alpha", 1) != 1 || attributes.Float("beta", 1) != 1) {
      return std::nullopt;
    }
    layer.channel_axis = attributes.Int("transB", 0) != 0 ? 0 : 1;
  }
  if (node.op == "MatMul") {
    FindBiasBehind(graph, consumers, layer);
    return layer;
  }
  layer.bias_node = id;
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    if (!IsFloatConstant(graph, node.inputs[2], 0, 2)) return std::nullopt;
    layer.bias = node.inputs[2];
  }
  return layer;
}

}  // namespace

std::vector<Layer> FindLayers(const Graph& graph) {
  std::vector<Layer> layers;
  const auto order = graph.TopologicalOrder();
  if (!order.ok()) return layers;
  const auto consumers = graph.Consumers();
  for (NodeId id : *order) {
    if (const std::optional<Layer> layer = AsLayer(graph, consumers, id)) layers.push_back(*layer);
  }
  return layers;
}

}  // namespace tandem::engine
