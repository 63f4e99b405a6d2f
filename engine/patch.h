// Patch: the one way to edit an imported graph.
//
// A rewrite describes what it adds and what that replaces; Apply does it all at once. Nodes that lose their last reader
// are removed by Graph::RemoveDead afterwards, so a patch never deletes by hand and cannot orphan a reader.
//
//   Patch patch(graph);
//   Node fused = *graph.node(conv);
//   fused.post_ops.push_back({.op = "Relu"});
//   patch.Replace(graph.node(relu)->outputs[0], patch.Add(std::move(fused)));
//   return patch;
#ifndef TANDEM_ENGINE_PATCH_H_
#define TANDEM_ENGINE_PATCH_H_

#include <string>
#include <utility>
#include <vector>

#include "engine/graph.h"

namespace tandem::engine {

// A patch belongs to the state of the graph it was made from: apply it before the graph changes in another way.
class Patch {
 public:
  explicit Patch(const Graph& graph) : next_value_(graph.num_values()) {}

  ValueId AddConstant(Tensor tensor);
  // A float32 constant that is stored as `tensor`.
  ValueId AddConstant(Tensor tensor, Quantization quantization);
  // Adds `node` with one fresh output of `type` and `shape` (as far as they are known), and returns that output.
  ValueId Add(Node node, DataType type, std::optional<Shape> shape);
  // The same with the type, shape and quantization of `like`.
  ValueId AddLike(Node node, const Value& like);
  // Every reader of `old` reads `with` from now on, which takes over the name, type and shape of a graph output.
  void Replace(ValueId old, ValueId with) { replacements_.emplace_back(old, with); }
  // `id`, a float32 value of the graph or of this patch, is stored so from now on.
  void Store(ValueId id, Quantization quantization) { stored_.emplace_back(id, std::move(quantization)); }

  void Apply(Graph& graph) &&;

 private:
  ValueId next_value_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<std::pair<ValueId, ValueId>> replacements_;
  std::vector<std::pair<ValueId, Quantization>> stored_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PATCH_H_
