// Writes graphs and nodes as ONNX messages; export.cc makes a file of them.
#ifndef TANDEM_ENGINE_ONNX_NODE_WRITER_H_
#define TANDEM_ENGINE_ONNX_NODE_WRITER_H_

#include <onnx/onnx_pb.h>

#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "engine/graph.h"

namespace tandem::engine {

// Names of a whole file: what a subgraph calls its own must not hide what it captures, and some runtimes refuse nodes
// of one name.
class NamePool {
 public:
  // `wanted` when it is free, else something like it.
  std::string Take(const std::string& wanted) { return TakeFrom(values_, wanted); }
  std::string TakeForNode(const std::string& wanted) { return wanted.empty() ? wanted : TakeFrom(nodes_, wanted); }

 private:
  using Names = absl::flat_hash_set<std::string>;
  std::string TakeFrom(Names& taken, const std::string& wanted);

  Names values_;
  Names nodes_;
  int next_ = 0;
};

class GraphWriter {
 public:
  // `names` and `domains` (of operators outside the default one, as found) outlive the writer.
  GraphWriter(const Graph& graph, NamePool& names, std::set<std::string>& domains, onnx::GraphProto& proto)
      : graph_(graph), names_(names), domains_(domains), proto_(proto), value_names_(graph.num_values()) {}

  // A model's graph: inputs and outputs with their names, types and shapes.
  absl::Status WriteModel();
  // A subgraph, whose trailing inputs are the values called `captured` outside.
  absl::Status WriteSubgraph(const std::vector<std::string>& captured);

 private:
  absl::Status WriteBody();
  absl::Status WriteNode(const Node& node);
  absl::Status WriteOperator(const Node& node, onnx::NodeProto& proto);
  absl::Status WriteAttributes(const Node& node, onnx::NodeProto& proto);
  absl::Status WriteSubgraphAttribute(const Node& node, const std::string& name, const Graph& subgraph,
                                      onnx::NodeProto& proto);
  void WriteSwish(const Node& node);
  absl::Status WriteChannelShuffle(const Node& node);
  absl::Status WriteFlatSoftmax(const Node& node);
  void WriteValueInfo(ValueId id, onnx::ValueInfoProto& info);

  const std::string& NameOf(ValueId id);
  std::string AddInts(std::vector<int64_t> values);
  // A node of the default domain; its only output is called `output`, or by a free name when that is empty.
  onnx::NodeProto& AddProto(const std::string& op, const std::vector<std::string>& inputs, std::string output = "");

  const Graph& graph_;
  NamePool& names_;
  std::set<std::string>& domains_;
  onnx::GraphProto& proto_;
  std::vector<std::string> value_names_;  // empty: not named yet
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_NODE_WRITER_H_
