// Graph: typed nodes and values of one model, as importers make it and passes rewrite it.
//
// Values and nodes are named by dense ids that stay valid across edits; a removed node leaves a hole. A value is a
// graph input, a constant, or an output of one node. A subgraph (of If, Loop, Scan) is a Graph of its own: what it
// captures from outside is passed in as extra trailing inputs of the node and of the subgraph, so that every graph is
// closed.
//
// Edits go through Patch (patch.h) once a graph is imported. A const Graph may be read from many threads.
#ifndef TANDEM_ENGINE_GRAPH_H_
#define TANDEM_ENGINE_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/attributes.h"
#include "engine/quantization.h"
#include "engine/tensor.h"

namespace tandem::engine {

using ValueId = int32_t;
using NodeId = int32_t;
inline constexpr ValueId kNoValue = -1;  // an optional input or output that is absent
inline constexpr NodeId kNoNode = -1;

struct Value {
  std::string name;
  DataType type = DataType::kUndefined;
  // Absent: unknown rank. kUnknownDim marks free dimensions; dim_names (may be shorter) their symbols.
  std::optional<Shape> shape;
  std::vector<std::string> dim_names;
  Tensor constant;  // defined for constants
  // Set: `type` is float32 and the value lies in memory, `constant` included, as these integers.
  std::optional<Quantization> quantization;
  NodeId producer = kNoNode;  // kNoNode for inputs and constants
  bool is_constant() const { return constant.defined(); }
};

// An elementwise operation that a fused node applies to its first output, in order, before it is stored.
struct PostOp {
  std::string op;        // the operator's ONNX name: "Relu", "Clip", "Add", "Mul", ...
  float alpha = 0;       // first parameter: Clip's minimum, LeakyRelu's and Elu's alpha, HardSigmoid's alpha
  float beta = 0;        // second parameter: Clip's maximum, HardSigmoid's beta
  int operand = -1;      // binary operations: index into Node::inputs of the other operand; -1 for unary ones
  bool swapped = false;  // binary operations: the running value is the right-hand operand
};

struct Node {
  std::string op;                // "Conv"; operators outside the default domain carry it: "com.microsoft.QLinearAdd"
  std::string name;              // as in the file; may be empty
  std::vector<ValueId> inputs;   // kNoValue for absent ones
  std::vector<ValueId> outputs;  // kNoValue for unused ones
  Attributes attributes;
  std::vector<PostOp> post_ops;  // their operands are trailing inputs, after the operator's own
  // How many of `inputs` are the operator's own; post-op operands follow.
  int num_own_inputs() const { return static_cast<int>(inputs.size()) - num_operands; }
  int num_operands = 0;
};

class Graph {
 public:
  // --- building (importer, Patch) ---
  ValueId AddValue(Value value);
  ValueId AddConstant(std::string name, Tensor tensor);
  // The node's outputs must have no producer yet.
  NodeId AddNode(Node node);
  void RemoveNode(NodeId id);
  void AddInput(ValueId id) { inputs_.push_back(id); }
  void AddOutput(ValueId id) { outputs_.push_back(id); }
  // Every use of `from`, graph outputs included, becomes a use of `to`.
  void ReplaceUses(ValueId from, ValueId to);
  // Removes nodes none of whose outputs is used, and forgets constants that nothing uses.
  void RemoveDead();

  // --- reading ---
  const Value& value(ValueId id) const { return values_[id]; }
  Value& mutable_value(ValueId id) { return values_[id]; }
  int num_values() const { return static_cast<int>(values_.size()); }
  // Null for a removed node.
  const Node* node(NodeId id) const { return nodes_[id].has_value() ? &*nodes_[id] : nullptr; }
  Node& mutable_node(NodeId id) { return *nodes_[id]; }
  int num_nodes() const { return static_cast<int>(nodes_.size()); }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  bool IsOutput(ValueId id) const;
  // The value's constant tensor, or null (also for kNoValue).
  const Tensor* ConstantOf(ValueId id) const;
  // For every value, the nodes that read it (once per use), ascending.
  std::vector<std::vector<NodeId>> Consumers() const;
  // Node ids so that producers come first; an error names a node on a cycle.
  absl::StatusOr<std::vector<NodeId>> TopologicalOrder() const;
  // Ids in range, producers consistent, every input produced, no cycle.
  absl::Status Validate() const;

 private:
  std::vector<Value> values_;
  std::vector<std::optional<Node>> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
};

// "Conv 'layer1/conv'": how messages name a node.
std::string Describe(const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_GRAPH_H_
