// GraphRunner: computes a graph's outputs by plans, one shape of inputs after the other.
#ifndef TANDEM_ENGINE_QUANTIZE_GRAPH_RUNNER_H_
#define TANDEM_ENGINE_QUANTIZE_GRAPH_RUNNER_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/compile/plan_cache.h"
#include "engine/graph.h"

namespace tandem::engine {

// Belongs to one thread.
class GraphRunner {
 public:
  GraphRunner(Graph graph, int threads);

  // The outputs, which belong to the runner and are overwritten by its next run.
  absl::StatusOr<std::vector<Tensor>> Run(absl::Span<const Tensor> inputs);
  // The plan for these inputs, bound and with the inputs copied in; valid until the next call.
  absl::StatusOr<BoundPlan*> Prepare(absl::Span<const Tensor> inputs);

 private:
  const size_t num_outputs_;
  Arena arena_;
  BoundGraph bound_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_GRAPH_RUNNER_H_
