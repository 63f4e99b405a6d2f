#include "engine/quantize/calibrate.h"

#include <cmath>
#include <utility>

#include "engine/quantize/graph_runner.h"
#include "engine/status.h"

namespace tandem::engine {

Graph WithOutputs(const Graph& graph, const std::vector<ValueId>& values) {
  Graph tapped;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    Value value = graph.value(id);
    value.producer = kNoNode;
    tapped.AddValue(std::move(value));
  }
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id) != nullptr) tapped.AddNode(*graph.node(id));
  }
  for (ValueId id : graph.inputs()) tapped.AddInput(id);
  for (ValueId id : values) tapped.AddOutput(id);
  tapped.RemoveDead();
  return tapped;
}

absl::StatusOr<Histograms> Calibrate(const Graph& graph, const std::vector<ValueId>& values, Samples& samples,
                                     const std::vector<int64_t>& indices, int threads,
                                     const std::function<void(int64_t)>& on_sample) {
  Histograms histograms;
  GraphRunner runner(WithOutputs(graph, values), threads);
  for (size_t n = 0; n < indices.size(); ++n) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, samples.Read(indices[n]));
    const auto outputs = runner.Run(inputs);
    if (!outputs.ok()) return WithContext(outputs.status(), absl::StrCat("sample ", indices[n]));
    for (size_t i = 0; i < values.size(); ++i) {
      const auto numbers = (*outputs)[i].values<float>();
      float sum = 0;  // of zeros, unless a number is not finite
      for (float number : numbers) sum += number * 0.0f;
      if (!std::isfinite(sum)) {
        return absl::InvalidArgumentError(absl::StrCat("sample ", indices[n], " makes '", graph.value(values[i]).name,
                                                       "' infinite or not a number inside the model"));
      }
      histograms[values[i]].Add(numbers);
    }
    on_sample(static_cast<int64_t>(n) + 1);
  }
  return histograms;
}

}  // namespace tandem::engine
