#include "engine/passes/rewrites.h"

namespace tandem::engine {

std::optional<Patch> RemoveIdentity(const Matcher& matcher, const Node& node) {
  if ((node.op != "Identity" && node.op != "Dropout") || node.outputs.size() != 1 || !node.post_ops.empty()) {
    return std::nullopt;
  }
  if (node.op == "Dropout" && node.inputs.size() > 2 && node.inputs[2] != kNoValue) return std::nullopt;  // training
  const ValueId x = node.inputs[0];
  if (matcher.value(node.outputs[0]).quantization != matcher.value(x).quantization) return std::nullopt;
  // A graph's output keeps a value of its own: no input, constant or other output can take its name.
  const Graph& graph = matcher.graph();
  if (graph.IsOutput(node.outputs[0]) && (graph.value(x).producer == kNoNode || graph.IsOutput(x))) {
    return std::nullopt;
  }
  Patch patch(graph);
  patch.Replace(node.outputs[0], x);
  return patch;
}

}  // namespace tandem::engine
