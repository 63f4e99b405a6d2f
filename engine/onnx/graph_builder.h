// Builds a Graph from a parsed GraphProto: names, captures, function calls.
//
// graph_builder.cc has values and names, node_builder.cc nodes, their attributes and subgraphs, and function calls.
#ifndef TANDEM_ENGINE_ONNX_GRAPH_BUILDER_H_
#define TANDEM_ENGINE_ONNX_GRAPH_BUILDER_H_

#include <onnx/onnx_pb.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/graph.h"

namespace tandem::engine {

bool IsDefaultDomain(const std::string& domain);

// What the builders of one file share.
struct FileContext {
  std::string directory;  // where external data lie; empty refuses them
  absl::flat_hash_map<std::string, const onnx::FunctionProto*> functions;  // by "domain:name"
  // Functions that call each other multiply: what a small file may grow to has an end.
  int64_t nodes_left = int64_t{1} << 20;
  int64_t constant_bytes_left = int64_t{1} << 32;  // of Constant nodes
};

using AttributeProtos = std::map<std::string, const onnx::AttributeProto*>;

// Builds one graph; `parent` is the builder of the graph around it, whose values it may capture.
class GraphBuilder {
 public:
  // `opset`: the version of the default domain. Both references outlive the builder.
  GraphBuilder(FileContext& file, int opset) : GraphBuilder(file, nullptr, opset, 0, nullptr) {}

  absl::Status AddGraph(const onnx::GraphProto& proto);
  Graph TakeGraph() { return std::move(graph_); }

 private:
  static constexpr int kMaxDepth = 32;

  // What names mean: those of the graph, or while a call is expanded those of the function.
  struct Scope {
    int opset = 0;
    const AttributeProtos* attributes = nullptr;       // what the caller of the function gave
    bool sees_parent = true;                           // functions see their own names only
    absl::flat_hash_map<std::string, ValueId> values;  // kNoValue: an optional input that the caller left out
  };

  GraphBuilder(FileContext& file, GraphBuilder* parent, int opset, int depth, const AttributeProtos* attributes)
      : file_(file), parent_(parent), depth_(depth) {
    scope_.opset = opset;
    scope_.attributes = attributes;
  }

  absl::Status AddInitializers(const onnx::GraphProto& proto);
  absl::Status AddGraphInput(const onnx::ValueInfoProto& proto);
  absl::Status AddGraphOutput(const onnx::ValueInfoProto& proto);
  absl::StatusOr<Value> ValueFrom(const onnx::ValueInfoProto& proto) const;

  absl::Status AddNode(const onnx::NodeProto& proto);
  absl::Status AddConstantNode(const onnx::NodeProto& proto);
  absl::Status AddOperator(const onnx::NodeProto& proto);
  absl::Status ExpandFunction(const onnx::NodeProto& call, const onnx::FunctionProto& function);
  absl::StatusOr<Scope> ScopeOfCall(const onnx::NodeProto& call, const onnx::FunctionProto& function);
  absl::Status SetAttribute(const onnx::AttributeProto& proto, Node& node);
  absl::Status SetSubgraph(const std::string& name, const onnx::GraphProto& proto, Node& node);
  // The attribute itself, or what the function's caller gave for the one it refers to; null when the caller gave none.
  const onnx::AttributeProto* Dereference(const onnx::AttributeProto& proto) const;

  // The value called `name` here or, captured, further out; an error when nobody has it.
  absl::StatusOr<ValueId> Resolve(const std::string& name);
  bool CanResolve(const std::string& name) const;
  absl::StatusOr<ValueId> Define(const std::string& name, Value value);
  absl::Status Bind(const std::string& name, ValueId id);
  // A Cast node from `input` to `type`, its result named `name`.
  ValueId AddCast(ValueId input, DataType to, std::string name);

  FileContext& file_;
  GraphBuilder* const parent_;
  int depth_;  // of subgraphs and function calls within each other
  Graph graph_;
  Scope scope_;
  std::vector<std::string> captures_;  // names of the parent's values that became trailing inputs, in order
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_GRAPH_BUILDER_H_
