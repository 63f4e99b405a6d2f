#include "engine/compile/reference_step.h"

#include <cstring>
#include <map>
#include <utility>

#include "engine/compile/control_flow.h"
#include "engine/compile/post_ops.h"
#include "engine/compile/specialize.h"
#include "engine/ops/op.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// A value in a plan: what a step needs to make a Tensor of it.
struct Operand {
  BufferId buffer = kNoBuffer;  // kNoBuffer: absent
  DataType type = DataType::kUndefined;
  Shape shape;

  Tensor Bind(const Binding& binding) const {
    return buffer == kNoBuffer ? Tensor() : Tensor::View(type, shape, binding.address(buffer));
  }
};

std::vector<Operand> DenseInputs(PlanBuilder& builder, const Node& node) {
  std::vector<Operand> operands(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (id != kNoValue) operands[i] = {builder.Dense(id), builder.value(id).type, builder.shape(id)};
  }
  return operands;
}

std::vector<BufferId> BuffersOf(const std::vector<Operand>& operands) {
  std::vector<BufferId> buffers;
  for (const Operand& operand : operands) buffers.push_back(operand.buffer);
  return buffers;
}

std::vector<const Tensor*> Pointers(const std::vector<Tensor>& tensors, int count) {
  std::vector<const Tensor*> pointers;
  for (int i = 0; i < count; ++i) pointers.push_back(tensors[i].defined() ? &tensors[i] : nullptr);
  return pointers;
}

class BoundReferenceStep final : public BoundStep {
 public:
  BoundReferenceStep(const Node& node, std::vector<Tensor> inputs, std::vector<Tensor> outputs)
      : node_(node),
        kernel_(FindOp(node.op)->kernel),
        inputs_(std::move(inputs)),
        context_(node, Pointers(inputs_, node.num_own_inputs()), std::move(outputs)) {}

  absl::Status Run() override {
    if (absl::Status status = kernel_(context_); !status.ok()) return WithContext(status, Describe(node_));
    if (node_.post_ops.empty()) return absl::OkStatus();
    return WithContext(ApplyPostOps(node_, inputs_, context_.output(0)), Describe(node_));
  }

 private:
  const Node& node_;
  const KernelFunction kernel_;
  const std::vector<Tensor> inputs_;
  KernelContext context_;
};

class ReferenceStep final : public Step {
 public:
  ReferenceStep(Node node, std::vector<Operand> inputs, std::vector<Operand> outputs)
      : node_(std::move(node)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  std::unique_ptr<BoundStep> Bind(Binding& binding) const override {
    std::vector<Tensor> inputs, outputs;
    for (const Operand& input : inputs_) inputs.push_back(input.Bind(binding));
    for (const Operand& output : outputs_) outputs.push_back(output.Bind(binding));
    return std::make_unique<BoundReferenceStep>(node_, std::move(inputs), std::move(outputs));
  }

  std::string Description() const override { return absl::StrCat("reference ", Describe(node_)); }

 private:
  const Node node_;
  const std::vector<Operand> inputs_;
  const std::vector<Operand> outputs_;
};

// A result whose size the data choose may not take all the memory there is.
constexpr size_t kMaxDynamicBytes = size_t{1} << 31;

// Infers the outputs' shapes from the contents of the inputs at each run, then allocates and computes them.
class BoundDynamicStep final : public BoundStep {
 public:
  BoundDynamicStep(const Node& node, std::vector<Tensor> inputs, std::vector<Tensor*> slots)
      : node_(node), inputs_(std::move(inputs)), slots_(std::move(slots)) {}

  absl::Status Run() override { return WithContext(Compute(), Describe(node_)); }

 private:
  absl::Status Compute() {
    std::vector<ValueInfo> infos(node_.num_own_inputs());
    std::vector<const ValueInfo*> pointers;
    for (size_t i = 0; i < infos.size(); ++i) {
      if (inputs_[i].defined()) infos[i] = {inputs_[i].type(), inputs_[i].shape(), inputs_[i]};
      pointers.push_back(inputs_[i].defined() ? &infos[i] : nullptr);
    }
    TANDEM_ASSIGN_OR_RETURN(const std::vector<ValueInfo> outputs, InferNode(node_, pointers));
    std::vector<Tensor> tensors(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].shape.has_value()) continue;
      if (NumElements(*outputs[i].shape) * SizeOf(outputs[i].type) > kMaxDynamicBytes) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the data ask for a result of shape ", ToString(*outputs[i].shape), ", which is too large"));
      }
      tensors[i] = Tensor(outputs[i].type, *outputs[i].shape);
    }
    KernelContext context(node_, Pointers(inputs_, node_.num_own_inputs()), std::move(tensors));
    TANDEM_RETURN_IF_ERROR(FindOp(node_.op)->kernel(context));
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i] != nullptr) *slots_[i] = context.output(static_cast<int>(i));
    }
    return absl::OkStatus();
  }

  const Node& node_;
  const std::vector<Tensor> inputs_;
  const std::vector<Tensor*> slots_;  // null for unused outputs
};

class DynamicStep final : public Step {
 public:
  DynamicStep(Node node, std::vector<Operand> inputs, std::vector<int> slots)
      : node_(std::move(node)), inputs_(std::move(inputs)), slots_(std::move(slots)) {}

  std::unique_ptr<BoundStep> Bind(Binding& binding) const override {
    std::vector<Tensor> inputs;
    std::vector<Tensor*> slots;
    for (const Operand& input : inputs_) inputs.push_back(input.Bind(binding));
    for (int slot : slots_) slots.push_back(slot < 0 ? nullptr : &binding.slot(slot));
    return std::make_unique<BoundDynamicStep>(node_, std::move(inputs), std::move(slots));
  }

  std::string Description() const override { return absl::StrCat("dynamic ", Describe(node_)); }

 private:
  const Node node_;
  const std::vector<Operand> inputs_;
  const std::vector<int> slots_;
};

using Subgraphs = std::map<std::string, std::shared_ptr<PlanCache>, std::less<>>;

class BoundControlFlowStep final : public BoundStep {
 public:
  BoundControlFlowStep(const Node& node, const Subgraphs& subgraphs, std::vector<Tensor> inputs,
                       std::vector<Tensor*> slots, const std::vector<DataType>& types, Binding& binding)
      : node_(node), inputs_(std::move(inputs)), slots_(std::move(slots)), types_(types) {
    // One subgraph of a node runs at a time, and what it returns is copied: they share the room behind the plan.
    for (const auto& [name, plans] : subgraphs) {
      bound_.emplace(name,
                     std::make_unique<BoundGraph>(plans, binding.arena(), binding.end_offset(), binding.threads()));
    }
  }

  absl::Status Run() override {
    const auto run = [this](absl::string_view name, absl::Span<const Tensor> inputs) {
      return RunSubgraph(*bound_.find(std::string(name))->second, inputs);
    };
    auto results = RunControlFlow(node_, inputs_, run);
    if (!results.ok()) return WithContext(results.status(), Describe(node_));
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i] == nullptr) continue;
      // Which type comes out may depend on the branch taken; what follows was compiled for one.
      if ((*results)[i].type() != types_[i]) {
        return absl::InvalidArgumentError(absl::StrCat(Describe(node_), ": output ", i, " is ", NameOf(types_[i]),
                                                       " as inferred and ", NameOf((*results)[i].type()), " now"));
      }
      *slots_[i] = (*results)[i];
    }
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<std::vector<Tensor>> RunSubgraph(BoundGraph& graph, absl::Span<const Tensor> inputs) {
    std::vector<Shape> shapes;
    for (const Tensor& input : inputs) shapes.push_back(input.shape());
    TANDEM_ASSIGN_OR_RETURN(BoundPlan* const plan, graph.Prepare(shapes));
    for (size_t i = 0; i < inputs.size(); ++i) {
      Tensor& to = plan->input(static_cast<int>(i));
      if (to.type() != inputs[i].type()) {
        return absl::InvalidArgumentError(absl::StrCat("a subgraph's input ", i, " is ", NameOf(to.type()),
                                                       " once and ", NameOf(inputs[i].type()), " later"));
      }
      if (to.num_bytes() > 0) std::memcpy(to.data(), inputs[i].data(), to.num_bytes());
    }
    TANDEM_RETURN_IF_ERROR(plan->Run());
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < plan->plan().outputs.size(); ++i) outputs.push_back(plan->output(static_cast<int>(i)));
    return outputs;
  }

  const Node& node_;
  const std::vector<Tensor> inputs_;
  const std::vector<Tensor*> slots_;
  const std::vector<DataType>& types_;  // of the outputs, as inferred; the step's
  std::map<std::string, std::unique_ptr<BoundGraph>, std::less<>> bound_;
};

class ControlFlowStep final : public Step {
 public:
  ControlFlowStep(Node node, Subgraphs subgraphs, std::vector<Operand> inputs, std::vector<int> slots,
                  std::vector<DataType> types)
      : node_(std::move(node)),
        subgraphs_(std::move(subgraphs)),
        inputs_(std::move(inputs)),
        slots_(std::move(slots)),
        types_(std::move(types)) {}

  std::unique_ptr<BoundStep> Bind(Binding& binding) const override {
    std::vector<Tensor> inputs;
    std::vector<Tensor*> slots;
    for (const Operand& input : inputs_) inputs.push_back(input.Bind(binding));
    for (int slot : slots_) slots.push_back(slot < 0 ? nullptr : &binding.slot(slot));
    return std::make_unique<BoundControlFlowStep>(node_, subgraphs_, std::move(inputs), std::move(slots), types_,
                                                  binding);
  }

  std::string Description() const override { return absl::StrCat("subgraphs of ", Describe(node_)); }

 private:
  const Node node_;
  const Subgraphs subgraphs_;
  const std::vector<Operand> inputs_;
  const std::vector<int> slots_;
  const std::vector<DataType> types_;
};

std::vector<int> SlotOutputs(PlanBuilder& builder, const Node& node) {
  std::vector<int> slots;
  for (ValueId output : node.outputs) {
    slots.push_back(output == kNoValue ? -1 : builder.NewSlot());
    if (output != kNoValue) builder.DefineSlot(output, slots.back());
  }
  return slots;
}

// The subgraph with its inputs' types filled in, as the plan cache needs them.
Graph WithInputTypes(const Graph& subgraph, absl::Span<const DataType> types) {
  Graph typed = subgraph;
  for (size_t i = 0; i < types.size(); ++i) typed.mutable_value(typed.inputs()[i]).type = types[i];
  return typed;
}

}  // namespace

absl::Status AddReferenceStep(PlanBuilder& builder, const Node& node) {
  std::vector<Operand> inputs = DenseInputs(builder, node);
  std::vector<Operand> outputs;
  for (ValueId output : node.outputs) {
    outputs.push_back({builder.DefineDense(output), builder.value(output).type, builder.shape(output)});
  }
  std::vector<BufferId> buffers = BuffersOf(inputs);
  for (const Operand& output : outputs) buffers.push_back(output.buffer);
  builder.AddStep(std::make_unique<ReferenceStep>(node, std::move(inputs), std::move(outputs)), buffers);
  return absl::OkStatus();
}

absl::Status AddDynamicStep(PlanBuilder& builder, const Node& node) {
  std::vector<Operand> inputs = DenseInputs(builder, node);
  const std::vector<BufferId> buffers = BuffersOf(inputs);
  builder.AddStep(std::make_unique<DynamicStep>(node, std::move(inputs), SlotOutputs(builder, node)), buffers);
  return absl::OkStatus();
}

absl::Status AddControlFlowStep(PlanBuilder& builder, const Node& node) {
  std::vector<Operand> inputs = DenseInputs(builder, node);
  Subgraphs subgraphs;
  for (absl::string_view name : SubgraphNames(node)) {
    const std::shared_ptr<const Graph> graph = node.attributes.Subgraph(name);
    std::vector<DataType> operands;
    for (const Operand& input : inputs) operands.push_back(input.type);
    const std::vector<DataType> types = SubgraphInputTypes(node, name, operands);
    subgraphs.emplace(std::string(name), std::make_shared<PlanCache>(WithInputTypes(*graph, types), builder.context()));
  }
  const std::vector<BufferId> buffers = BuffersOf(inputs);
  std::vector<DataType> types;
  for (ValueId output : node.outputs) types.push_back(builder.value(output).type);
  builder.AddStep(std::make_unique<ControlFlowStep>(node, std::move(subgraphs), std::move(inputs),
                                                    SlotOutputs(builder, node), std::move(types)),
                  buffers);
  return absl::OkStatus();
}

}  // namespace tandem::engine
