#include "engine/passes/pass.h"

#include <memory>
#include <utility>

#include "engine/status.h"

namespace tandem::engine {

const Node* Matcher::Producer(ValueId id) const {
  const NodeId producer = id == kNoValue ? kNoNode : graph_.value(id).producer;
  return producer == kNoNode ? nullptr : graph_.node(producer);
}

const Node* Matcher::Producer(ValueId id, absl::string_view op) const {
  const Node* const node = Producer(id);
  const bool fits = node != nullptr && node->op == op && node->post_ops.empty() && node->outputs[0] == id &&
                    !graph_.value(id).quantization.has_value();
  return fits ? node : nullptr;
}

std::optional<float> Matcher::Scalar(ValueId id) const {
  const Tensor* constant = graph_.ConstantOf(id);
  if (constant == nullptr || constant->type() != DataType::kFloat32 || constant->num_elements() != 1 ||
      constant->rank() > 1) {
    return std::nullopt;
  }
  return constant->values<float>()[0];
}

Patch ReplaceNode(const Matcher& matcher, const Node& node, Node with) {
  const Value& output = matcher.value(node.outputs[0]);
  Patch patch(matcher.graph());
  patch.Replace(node.outputs[0], patch.AddLike(std::move(with), output));
  return patch;
}

namespace {

// Applies `pass` wherever it matches, new nodes included; returns whether it ever did.
bool Sweep(Graph& graph, const Pass& pass) {
  bool changed = false;
  auto matcher = std::make_unique<Matcher>(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id) == nullptr) continue;
    std::optional<Patch> patch = pass.rewrite(*matcher, *graph.node(id));
    if (!patch.has_value()) continue;
    std::move(*patch).Apply(graph);
    graph.RemoveDead();
    matcher = std::make_unique<Matcher>(graph);
    changed = true;
  }
  return changed;
}

}  // namespace

absl::Status RunPasses(Graph& graph, absl::Span<const Pass> passes) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Pass& pass : passes) {
      if (!Sweep(graph, pass)) continue;
      changed = true;
#ifndef NDEBUG
      if (absl::Status status = graph.Validate(); !status.ok()) {
        return absl::InternalError(absl::StrCat("after pass ", pass.name, ": ", status.message()));
      }
#endif
    }
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
