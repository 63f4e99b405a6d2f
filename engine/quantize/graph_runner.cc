#include "engine/quantize/graph_runner.h"

#include <cstring>
#include <utility>

#include "engine/status.h"

namespace tandem::engine {

namespace {

// Samples of many shapes must not pile up plans.
constexpr int kMaxPlans = 4;

std::shared_ptr<PlanCache> MakePlans(Graph graph) {
  CompileContext context;
  context.weights = std::make_shared<PackedWeights>();
  context.max_plans = kMaxPlans;
  return std::make_shared<PlanCache>(std::move(graph), std::move(context));
}

}  // namespace

GraphRunner::GraphRunner(Graph graph, int threads)
    : num_outputs_(graph.outputs().size()), bound_(MakePlans(std::move(graph)), arena_, 0, threads, kMaxPlans) {}

absl::StatusOr<BoundPlan*> GraphRunner::Prepare(absl::Span<const Tensor> inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  TANDEM_ASSIGN_OR_RETURN(BoundPlan* const plan, bound_.Prepare(shapes));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].num_bytes() == 0) continue;
    std::memcpy(plan->input(static_cast<int>(i)).data(), inputs[i].data(), inputs[i].num_bytes());
  }
  return plan;
}

absl::StatusOr<std::vector<Tensor>> GraphRunner::Run(absl::Span<const Tensor> inputs) {
  TANDEM_ASSIGN_OR_RETURN(BoundPlan* const plan, Prepare(inputs));
  TANDEM_RETURN_IF_ERROR(plan->Run());
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < num_outputs_; ++i) outputs.push_back(plan->output(static_cast<int>(i)));
  return outputs;
}

}  // namespace tandem::engine
