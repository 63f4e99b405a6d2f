#include "engine/compile/specialize.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "engine/compile/control_flow.h"
#include "engine/ops/dims.h"
#include "engine/passes/quantized.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// Larger results are computed at run time rather than kept as constants.
constexpr size_t kMaxFoldedBytes = size_t{1} << 30;

// Operators whose work grows faster than their operands; with larger ones they are left to oneDNN at run time.
bool IsTooMuchToFold(const Node& node, absl::Span<const ValueInfo* const> inputs) {
  static const auto* const kHeavy = new absl::flat_hash_set<std::string>{
      "Attention", "Conv", "ConvInteger", "ConvTranspose", "DFT",         "DeformConv",    "Einsum", "GRU",
      "Gemm",      "LSTM", "MatMul",      "MatMulInteger", "QLinearConv", "QLinearMatMul", "RNN",    "STFT"};
  if (!kHeavy->contains(node.op)) return false;
  int64_t elements = 0;
  for (const ValueInfo* input : inputs) elements += input == nullptr ? 0 : NumElements(*input->shape);
  return elements > int64_t{1} << 20;
}

class Specializer {
 public:
  // Maps values of the graph being walked to the result's values.
  using Names = std::vector<ValueId>;

  absl::StatusOr<Graph> Run(const Graph& graph, absl::Span<const ValueInfo> inputs);

 private:
  absl::Status Walk(const Graph& graph, Names& names);
  using Consumers = std::vector<std::vector<NodeId>>;
  absl::Status Visit(const Graph& graph, const Consumers& consumers, const Node& node, Names& names);
  absl::Status VisitOperator(const Graph& graph, const Consumers& consumers, const Node& node,
                             const std::vector<ValueId>& inputs, Names& names);
  absl::Status VisitControlFlow(const Graph& graph, const Node& node, const std::vector<ValueId>& inputs, Names& names);
  absl::Status Inline(const Graph& branch, const std::vector<ValueId>& captured, const Node& node, Names& names);
  absl::Status Fold(const Node& node, const std::vector<ValueId>& inputs, const std::vector<ValueInfo>& outputs,
                    Names& names);
  void Emit(const Graph& graph, const Node& node, std::vector<ValueId> inputs, const std::vector<ValueInfo>& outputs,
            Names& names);

  ValueId Add(const Value& like, const ValueInfo& info);
  ValueId AddConstant(std::string name, Tensor tensor);

  Graph result_;
  std::vector<ValueInfo> infos_;  // by the result's value ids
};

ValueId Specializer::Add(const Value& like, const ValueInfo& info) {
  Value value;
  value.name = like.name;
  value.dim_names = like.dim_names;
  value.quantization = like.quantization;
  value.type = info.type;
  value.shape = info.shape;
  infos_.push_back(info);
  return result_.AddValue(std::move(value));
}

ValueId Specializer::AddConstant(std::string name, Tensor tensor) {
  infos_.push_back({tensor.type(), tensor.shape(), tensor});
  return result_.AddConstant(std::move(name), std::move(tensor));
}

absl::StatusOr<Graph> Specializer::Run(const Graph& graph, absl::Span<const ValueInfo> inputs) {
  TANDEM_CHECK(inputs.size() == graph.inputs().size(), "one ValueInfo an input");
  Names names(graph.num_values(), kNoValue);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueId id = Add(graph.value(graph.inputs()[i]), inputs[i]);
    names[graph.inputs()[i]] = id;
    result_.AddInput(id);
  }
  TANDEM_RETURN_IF_ERROR(Walk(graph, names));
  for (ValueId output : graph.outputs()) result_.AddOutput(names[output]);
  result_.RemoveDead();
  return std::move(result_);
}

absl::Status Specializer::Walk(const Graph& graph, Names& names) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(id);
    if (names[id] != kNoValue || !value.is_constant()) continue;
    names[id] = AddConstant(value.name, value.constant);
    if (!value.quantization.has_value()) continue;
    // Readers see real numbers; those are not written out to compute with them ahead.
    result_.mutable_value(names[id]).type = value.type;
    result_.mutable_value(names[id]).quantization = value.quantization;
    infos_[names[id]] = {value.type, value.constant.shape(), {}};
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<NodeId> order, graph.TopologicalOrder());
  const Consumers consumers = graph.Consumers();
  for (NodeId id : order) {
    const Node& node = *graph.node(id);
    TANDEM_RETURN_IF_ERROR(WithContext(Visit(graph, consumers, node, names), Describe(node)));
  }
  return absl::OkStatus();
}

absl::Status Specializer::Visit(const Graph& graph, const Consumers& consumers, const Node& node, Names& names) {
  std::vector<ValueId> inputs;
  for (ValueId input : node.inputs) inputs.push_back(input == kNoValue ? kNoValue : names[input]);
  if (IsControlFlow(node)) return VisitControlFlow(graph, node, inputs, names);
  return VisitOperator(graph, consumers, node, inputs, names);
}

absl::Status Specializer::VisitOperator(const Graph& graph, const Consumers& consumers, const Node& node,
                                        const std::vector<ValueId>& inputs, Names& names) {
  std::vector<const ValueInfo*> infos;
  bool all_known = true;
  for (int i = 0; i < node.num_own_inputs(); ++i) {
    infos.push_back(inputs[i] == kNoValue ? nullptr : &infos_[inputs[i]]);
    all_known = all_known && (inputs[i] == kNoValue || infos_[inputs[i]].value.defined());
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<ValueInfo> outputs, InferNode(node, infos));
  bool follows_from_shapes = true;
  size_t bytes = 0;
  for (const ValueInfo& output : outputs) {
    follows_from_shapes = follows_from_shapes && output.value.defined();
    if (output.shape.has_value()) bytes += NumElements(*output.shape) * SizeOf(output.type);
  }
  const bool stays_stored = node.op == "DequantizeLinear" && FeedsQuantizedProducts(graph, consumers, node);
  const bool random = node.op == "Bernoulli" || absl::StartsWith(node.op, "Random");
  if (follows_from_shapes) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      names[node.outputs[i]] = AddConstant(graph.value(node.outputs[i]).name, outputs[i].value);
    }
    return absl::OkStatus();
  }
  if (all_known && !random && !stays_stored && node.post_ops.empty() && bytes <= kMaxFoldedBytes &&
      !IsTooMuchToFold(node, infos)) {
    return Fold(node, inputs, outputs, names);
  }
  Emit(graph, node, inputs, outputs, names);
  return absl::OkStatus();
}

absl::Status Specializer::Fold(const Node& node, const std::vector<ValueId>& inputs,
                               const std::vector<ValueInfo>& outputs, Names& names) {
  std::vector<const Tensor*> tensors;
  for (ValueId input : inputs) tensors.push_back(input == kNoValue ? nullptr : &infos_[input].value);
  std::vector<Tensor> results(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].shape.has_value()) results[i] = Tensor(outputs[i].type, *outputs[i].shape);
  }
  KernelContext context(node, std::move(tensors), std::move(results));
  TANDEM_RETURN_IF_ERROR(FindOp(node.op)->kernel(context));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) names[node.outputs[i]] = AddConstant("", context.output(static_cast<int>(i)));
  }
  return absl::OkStatus();
}

void Specializer::Emit(const Graph& graph, const Node& node, std::vector<ValueId> inputs,
                       const std::vector<ValueInfo>& outputs, Names& names) {
  Node copy = node;
  copy.inputs = std::move(inputs);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    // Kernels write every output, so those that nobody reads become values too.
    if (node.outputs[i] == kNoValue) {
      copy.outputs[i] = Add({}, outputs[i]);
    } else {
      copy.outputs[i] = names[node.outputs[i]] = Add(graph.value(node.outputs[i]), outputs[i]);
    }
  }
  result_.AddNode(std::move(copy));
}

std::vector<ValueId> Captured(const Node& node, const std::vector<ValueId>& inputs, absl::string_view subgraph) {
  std::vector<ValueId> captured;
  for (int64_t position : node.attributes.Ints(absl::StrCat(subgraph, ".captures"))) {
    captured.push_back(inputs[position]);
  }
  return captured;
}

absl::Status Specializer::Inline(const Graph& branch, const std::vector<ValueId>& captured, const Node& node,
                                 Names& names) {
  Names inner(branch.num_values(), kNoValue);
  for (size_t i = 0; i < branch.inputs().size(); ++i) inner[branch.inputs()[i]] = captured[i];
  TANDEM_RETURN_IF_ERROR(Walk(branch, inner));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) names[node.outputs[i]] = inner[branch.outputs()[i]];
  }
  return absl::OkStatus();
}

absl::Status Specializer::VisitControlFlow(const Graph& graph, const Node& node, const std::vector<ValueId>& inputs,
                                           Names& names) {
  std::vector<const ValueInfo*> infos;
  for (ValueId input : inputs) infos.push_back(input == kNoValue ? nullptr : &infos_[input]);
  TANDEM_RETURN_IF_ERROR(CheckControlFlow(node, infos));
  if (node.op == "If" && infos[0]->value.defined()) {
    const char* const taken = infos[0]->value.values<bool>()[0] ? "then_branch" : "else_branch";
    return Inline(*node.attributes.Subgraph(taken), Captured(node, inputs, taken), node, names);
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<ValueInfo> outputs, InferControlFlow(node, infos));
  Emit(graph, node, inputs, outputs, names);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ValueInfo>> InferNode(const Node& node, absl::Span<const ValueInfo* const> inputs) {
  const OpDef* op = FindOp(node.op);
  if (op == nullptr) return absl::UnimplementedError("the operator is not supported");
  const int count = static_cast<int>(inputs.size());
  if (count < op->min_inputs || count > op->max_inputs) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", count, " inputs; expected ", op->min_inputs, " to ", op->max_inputs));
  }
  for (int i = 0; i < op->min_inputs; ++i) {
    if (inputs[i] == nullptr) return absl::InvalidArgumentError(absl::StrCat("lacks input ", i));
  }
  InferContext context(node, inputs, static_cast<int>(node.outputs.size()));
  TANDEM_RETURN_IF_ERROR(op->infer(context));
  for (const ValueInfo& output : context.outputs()) {
    if (output.shape.has_value()) TANDEM_RETURN_IF_ERROR(CheckDims(*output.shape));
  }
  return std::move(context.outputs());
}

absl::StatusOr<Graph> Specialize(const Graph& graph, absl::Span<const ValueInfo> inputs) {
  return Specializer().Run(graph, inputs);
}

}  // namespace tandem::engine
