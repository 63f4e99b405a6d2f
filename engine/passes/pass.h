// Passes: small rewrites of a graph, run to a fixpoint.
//
// A rewrite looks at one node and the nodes before it, and returns a patch or nothing. It never edits by itself, so
// each is easy to test alone. pipelines.cc lists which run when.
#ifndef TANDEM_ENGINE_PASSES_PASS_H_
#define TANDEM_ENGINE_PASSES_PASS_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/graph.h"
#include "engine/patch.h"

namespace tandem::engine {

// What a rewrite sees.
class Matcher {
 public:
  explicit Matcher(const Graph& graph) : graph_(graph), consumers_(graph.Consumers()) {}

  const Graph& graph() const { return graph_; }
  const Value& value(ValueId id) const { return graph_.value(id); }
  const std::vector<NodeId>& consumers(ValueId id) const { return consumers_[id]; }

  // The node that makes `id`, or null; with `op`, only if it is that operator, has no post-ops and `id` as its first
  // output, and `id` is not rounded to a quantization: patterns may look through it.
  const Node* Producer(ValueId id) const;
  const Node* Producer(ValueId id, absl::string_view op) const;
  // Whether exactly one node reads `id`, once, and it is no output of the graph.
  bool HasOneReader(ValueId id) const { return consumers_[id].size() == 1 && !graph_.IsOutput(id); }
  // The same for a value that is not rounded to a quantization: its producer may be replaced.
  bool IsPassedOn(ValueId id) const { return HasOneReader(id) && !graph_.value(id).quantization.has_value(); }
  // The single element of a constant float32 tensor that adds no dimension to what it is combined with: rank 0 or 1.
  std::optional<float> Scalar(ValueId id) const;
  // For a commutative node of two inputs: the index of the one that `test` accepts, or -1.
  template <typename Test>
  int Operand(const Node& node, Test&& test) const {
    if (node.inputs.size() != 2 || !node.post_ops.empty()) return -1;
    for (int i = 0; i < 2; ++i) {
      if (node.inputs[i] != kNoValue && test(node.inputs[i])) return i;
    }
    return -1;
  }

 private:
  const Graph& graph_;
  const std::vector<std::vector<NodeId>> consumers_;
};

using Rewrite = std::optional<Patch> (*)(const Matcher& matcher, const Node& node);

struct Pass {
  absl::string_view name;
  Rewrite rewrite;
};

// Applies `passes`, in order, each to every node, until none changes anything. Fails only when a pass breaks the graph,
// naming it (checked in debug builds).
absl::Status RunPasses(Graph& graph, absl::Span<const Pass> passes);

// A patch in which `with` takes the place of node's only output.
Patch ReplaceNode(const Matcher& matcher, const Node& node, Node with);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_PASS_H_
