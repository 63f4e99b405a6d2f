#include "engine/passes/quantized.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace tandem::engine {

namespace {

constexpr absl::string_view kMovers[] = {"Flatten", "Identity", "MaxPool",   "Reshape",   "Slice",
                                         "Split",   "Squeeze",  "Transpose", "Unsqueeze", "tandem.ChannelShuffle"};

constexpr size_t kMostDims = 6;

// Whether `id` is what a DequantizeLinear gives, elements moved about.
bool ComesQuantized(const Graph& graph, ValueId id) {
  while (id != kNoValue && graph.value(id).producer != kNoNode) {
    if (graph.value(id).quantization.has_value()) return true;
    const Node& producer = *graph.node(graph.value(id).producer);
    if (producer.op == "DequantizeLinear") return true;
    if (!MovesElements(producer) && producer.op != "Concat") return false;
    id = producer.inputs[0];
  }
  return false;
}

bool Multiplies(const Node& node) {
  return node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm" || node.op == "MatMul";
}

}  // namespace

bool MovesElements(const Node& node) {
  if (node.op == "MaxPool" && node.outputs.size() != 1) return false;
  return node.post_ops.empty() && std::find(std::begin(kMovers), std::end(kMovers), node.op) != std::end(kMovers);
}

bool IsStorable(const Value& value) {
  return value.type == DataType::kFloat32 && value.shape.has_value() && value.shape->size() <= kMostDims &&
         NumElements(*value.shape) > 0;
}

bool FeedsQuantizedProducts(const Graph& graph, const std::vector<std::vector<NodeId>>& consumers,
                            const Node& dequantize) {
  const ValueId weights = dequantize.outputs[0];
  const DataType type = graph.value(dequantize.inputs[0]).type;
  if ((type != DataType::kInt8 && type != DataType::kUInt8) || graph.IsOutput(weights)) return false;
  return std::all_of(consumers[weights].begin(), consumers[weights].end(), [&](NodeId id) {
    const Node& reader = *graph.node(id);
    return Multiplies(reader) && reader.inputs[0] != weights && reader.inputs[1] == weights &&
           ComesQuantized(graph, reader.inputs[0]);
  });
}

}  // namespace tandem::engine
