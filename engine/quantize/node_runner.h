// NodeRunner: computes one node of a graph on many inputs, by a plan where shapes are known.
#ifndef TANDEM_ENGINE_QUANTIZE_NODE_RUNNER_H_
#define TANDEM_ENGINE_QUANTIZE_NODE_RUNNER_H_

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph.h"
#include "engine/quantize/graph_runner.h"

namespace tandem::engine {

// Belongs to one thread. `graph` outlives it.
class NodeRunner {
 public:
  // `weights`: stands in for input 1; undefined: the node's own.
  NodeRunner(const Graph& graph, const Node& node, int threads, const Tensor& weights);

  // `inputs`: one an input; undefined for absent ones and constants. The results own their memory.
  absl::StatusOr<std::vector<Tensor>> Run(const std::vector<Tensor>& inputs);

 private:
  struct Entry {
    std::string key;
    std::unique_ptr<GraphRunner> runner;
  };
  GraphRunner& RunnerFor(const std::vector<Tensor>& inputs);

  const Graph& graph_;
  const Node& node_;
  const int threads_;
  const Tensor weights_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_NODE_RUNNER_H_
