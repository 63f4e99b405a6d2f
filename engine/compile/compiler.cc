#include "engine/compile/compiler.h"

#include <omp.h>

#include <utility>
#include <vector>

#include "engine/compile/control_flow.h"
#include "engine/compile/lowering.h"
#include "engine/compile/plan_builder.h"
#include "engine/compile/reference_step.h"
#include "engine/compile/specialize.h"
#include "engine/passes/pipelines.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// Larger plans are refused rather than left to the system's memory killer.
constexpr size_t kMaxArenaBytes = size_t{1} << 35;

// When the contents of a value are known.
enum class Stage {
  kPlan,  // its shape is known now: a buffer of the plan
  kSlot,  // the plan computes it, and only then is its shape known
  kContinuation,
};

class Compiler {
 public:
  Compiler(const Graph& graph, int threads, const CompileContext& context)
      : graph_(graph), builder_(graph, context, threads), stages_(graph.num_values(), Stage::kPlan) {}

  absl::StatusOr<std::shared_ptr<const Plan>> Run();

 private:
  absl::Status AddNode(const Node& node);
  bool AllShapesKnown(const Node& node) const;
  void AddContinuation();
  Graph RestOfGraph(std::vector<ValueId>& inputs) const;

  const Graph& graph_;
  PlanBuilder builder_;
  std::vector<Stage> stages_;  // by value
  std::vector<NodeId> rest_;
};

bool Compiler::AllShapesKnown(const Node& node) const {
  for (ValueId output : node.outputs) {
    if (output != kNoValue && !graph_.value(output).shape.has_value()) return false;
  }
  return true;
}

absl::Status Compiler::AddNode(const Node& node) {
  if (IsControlFlow(node)) return AddControlFlowStep(builder_, node);
  if (!AllShapesKnown(node)) return AddDynamicStep(builder_, node);
  if (!Lower(builder_, node)) TANDEM_RETURN_IF_ERROR(AddReferenceStep(builder_, node));
  for (ValueId output : node.outputs) {
    if (output != kNoValue) builder_.RoundDefined(output);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Plan>> Compiler::Run() {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<NodeId> order, graph_.TopologicalOrder());
  for (NodeId id : order) {
    const Node& node = *graph_.node(id);
    Stage stage = AllShapesKnown(node) && !IsControlFlow(node) ? Stage::kPlan : Stage::kSlot;
    for (ValueId input : node.inputs) {
      if (input != kNoValue && stages_[input] != Stage::kPlan) stage = Stage::kContinuation;
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue) stages_[output] = stage;
    }
    if (stage == Stage::kContinuation) {
      rest_.push_back(id);
    } else {
      TANDEM_RETURN_IF_ERROR(WithContext(AddNode(node), Describe(node)));
    }
  }
  if (!rest_.empty()) AddContinuation();
  int next = 0;
  for (ValueId output : graph_.outputs()) {
    const bool later = stages_[output] == Stage::kContinuation;
    builder_.plan().outputs.push_back(later ? Source{Source::Kind::kContinuation, next++, graph_.value(output).type, {}}
                                            : builder_.SourceOf(output));
  }
  std::shared_ptr<const Plan> plan = builder_.Finish();
  if (plan->arena_bytes > kMaxArenaBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("needs ", plan->arena_bytes, " bytes of working memory"));
  }
  return plan;
}

// The nodes that had to be left out, as a graph whose inputs are what they read of the plan.
Graph Compiler::RestOfGraph(std::vector<ValueId>& inputs) const {
  Graph rest;
  std::vector<ValueId> names(graph_.num_values(), kNoValue);
  const auto name_of = [&](ValueId id) {
    if (id == kNoValue || names[id] != kNoValue) return id == kNoValue ? kNoValue : names[id];
    Value value = graph_.value(id);
    value.producer = kNoNode;
    // What the plan hands over is written out.
    if (stages_[id] != Stage::kContinuation && !value.is_constant()) value.quantization.reset();
    names[id] = rest.AddValue(std::move(value));
    return names[id];
  };
  for (NodeId id : rest_) {
    Node node = *graph_.node(id);
    for (ValueId& input : node.inputs) {
      const bool from_plan = input != kNoValue && names[input] == kNoValue && stages_[input] != Stage::kContinuation &&
                             !graph_.value(input).is_constant();
      if (from_plan) inputs.push_back(input);
      const ValueId renamed = name_of(input);
      if (from_plan) rest.AddInput(renamed);
      input = renamed;
    }
    for (ValueId& output : node.outputs) output = name_of(output);
    rest.AddNode(std::move(node));
  }
  for (ValueId output : graph_.outputs()) {
    if (stages_[output] == Stage::kContinuation) rest.AddOutput(names[output]);
  }
  return rest;
}

void Compiler::AddContinuation() {
  std::vector<ValueId> inputs;
  Graph rest = RestOfGraph(inputs);
  Plan& plan = builder_.plan();
  plan.continuation = std::make_shared<PlanCache>(std::move(rest), builder_.context());
  for (ValueId input : inputs) plan.continuation_inputs.push_back(builder_.SourceOf(input));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Plan>> Compile(const Graph& graph, absl::Span<const Shape> shapes, int threads,
                                                    const CompileContext& context) {
  // Primitives must be created with the number of threads they run with.
  omp_set_num_threads(threads);
  std::vector<ValueInfo> inputs;
  for (size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back({graph.value(graph.inputs()[i]).type, shapes[i], {}});
  }
  TANDEM_ASSIGN_OR_RETURN(Graph specialized, Specialize(graph, inputs));
  TANDEM_RETURN_IF_ERROR(OptimizePlan(specialized));
  return Compiler(specialized, threads, context).Run();
}

}  // namespace tandem::engine
