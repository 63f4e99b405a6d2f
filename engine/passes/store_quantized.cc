#include <algorithm>

#include "engine/passes/quantized.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// The same numbers stored unsigned, as integer kernels prefer to read them; what a quantizer wrote in one type and then
// the other becomes one.
Quantization Unsigned(Quantization quantization) {
  if (quantization.type == DataType::kUInt8) return quantization;
  quantization.type = DataType::kUInt8;
  for (int32_t& zero_point : quantization.zero_points) zero_point += 128;
  return quantization;
}

// Whether everything that reads `x` reads it through a QuantizeLinear.
bool OnlyQuantized(const Matcher& matcher, ValueId x) {
  if (matcher.graph().IsOutput(x)) return false;
  const std::vector<NodeId>& readers = matcher.consumers(x);
  return std::all_of(readers.begin(), readers.end(),
                     [&](NodeId id) { return matcher.graph().node(id)->op == "QuantizeLinear"; });
}

// A value that holds `x` stored as `quantization` already, or kNoValue.
ValueId FindStored(const Matcher& matcher, ValueId x, const Quantization& quantization) {
  if (matcher.value(x).quantization == quantization) return x;
  for (NodeId id : matcher.consumers(x)) {
    const Node& reader = *matcher.graph().node(id);
    if (reader.op == "tandem.Store" && matcher.value(reader.outputs[0]).quantization == quantization) {
      return reader.outputs[0];
    }
  }
  return kNoValue;
}

}  // namespace

std::optional<Patch> StoreQuantized(const Matcher& matcher, const Node& node) {
  if (node.op != "DequantizeLinear") return std::nullopt;
  const Graph& graph = matcher.graph();
  std::optional<Quantization> quantization = QuantizationOf(graph, node);
  const Node* const quantize = matcher.Producer(node.inputs[0], "QuantizeLinear");
  if (!quantization.has_value() || !quantization->per_tensor() || quantize == nullptr) return std::nullopt;
  const ValueId x = quantize->inputs[0];
  if (QuantizationOf(graph, *quantize) != quantization || !IsStorable(matcher.value(x))) return std::nullopt;
  quantization = Unsigned(*std::move(quantization));
  const bool is_output = graph.IsOutput(node.outputs[0]);
  Patch patch(graph);
  // Two outputs of the graph cannot be one value.
  const ValueId found = is_output ? kNoValue : FindStored(matcher, x, *quantization);
  if (found != kNoValue) {
    patch.Replace(node.outputs[0], found);
    return patch;
  }
  const Value& value = matcher.value(x);
  if (value.producer != kNoNode && !value.quantization.has_value() && OnlyQuantized(matcher, x)) {
    patch.Store(x, *quantization);
    patch.Replace(node.outputs[0], x);
    return patch;
  }
  Node store;
  store.op = "tandem.Store";
  store.name = quantize->name;
  store.inputs = {x};
  const ValueId stored = patch.Add(std::move(store), value.type, value.shape);
  patch.Store(stored, *quantization);
  patch.Replace(node.outputs[0], stored);
  return patch;
}

}  // namespace tandem::engine
