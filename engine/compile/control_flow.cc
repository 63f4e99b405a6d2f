#include "engine/compile/control_flow.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/compile/specialize.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// A loop that has not ended after so many steps never will: files are not trusted to be meant well.
constexpr int64_t kMostSteps = 1'000'000;

std::vector<int64_t> CapturePositions(const Node& node, absl::string_view subgraph) {
  return node.attributes.Ints(absl::StrCat(subgraph, ".captures"));
}

// The node's inputs before those that its subgraphs capture.
int NumFormalInputs(const Node& node) {
  int64_t formal = static_cast<int64_t>(node.inputs.size());
  for (absl::string_view name : SubgraphNames(node)) {
    for (int64_t position : CapturePositions(node, name)) formal = std::min(formal, position);
  }
  return static_cast<int>(formal);
}

// Scan's inputs are states followed by the tensors it walks over.
int NumScanStates(const Node& node) {
  return NumFormalInputs(node) - static_cast<int>(node.attributes.Int("num_scan_inputs", 0));
}

// Axis `index` of the list attribute `name`, 0 where it is absent, made non-negative.
absl::StatusOr<int64_t> ScanAxis(const Node& node, absl::string_view name, int index, int64_t rank) {
  const std::vector<int64_t> axes = node.attributes.Ints(name);
  return NormalizeAxis(index < static_cast<int>(axes.size()) ? axes[index] : 0, rank);
}

bool ScansBackwards(const Node& node, absl::string_view name, int index) {
  const std::vector<int64_t> directions = node.attributes.Ints(name);
  return index < static_cast<int>(directions.size()) && directions[index] != 0;
}

void AppendCaptures(const Node& node, absl::string_view subgraph, absl::Span<const Tensor> inputs,
                    std::vector<Tensor>& to) {
  for (int64_t position : CapturePositions(node, subgraph)) to.push_back(inputs[position]);
}

// Copies slice `index` along `axis` between `whole` and `part`, which lacks that axis.
void CopySlice(const Tensor& whole, Tensor& part, int64_t axis, int64_t index, bool into_whole) {
  const size_t size = SizeOf(whole.type());
  const int64_t outer = NumElements({whole.shape().data(), static_cast<size_t>(axis)});
  const size_t inner =
      size * NumElements({whole.shape().data() + axis + 1, static_cast<size_t>(whole.rank() - axis - 1)});
  char* const whole_bytes = static_cast<char*>(const_cast<void*>(whole.data()));
  char* const part_bytes = static_cast<char*>(part.data());
  for (int64_t i = 0; i < outer && inner > 0; ++i) {
    char* const slot = whole_bytes + (i * whole.dim(axis) + index) * inner;
    std::memcpy(into_whole ? slot : part_bytes + i * inner, into_whole ? part_bytes + i * inner : slot, inner);
  }
}

// Slices collected one a step, joined along a new axis.
absl::StatusOr<Tensor> Stack(std::vector<Tensor>& slices, int64_t axis_attribute, bool backwards) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(axis_attribute, slices[0].rank() + 1));
  Shape shape = slices[0].shape();
  shape.insert(shape.begin() + axis, static_cast<int64_t>(slices.size()));
  Tensor whole(slices[0].type(), std::move(shape));
  for (size_t i = 0; i < slices.size(); ++i) {
    if (slices[i].shape() != slices[0].shape()) return OpError("steps made outputs of different shapes");
    CopySlice(whole, slices[i], axis, static_cast<int64_t>(backwards ? slices.size() - 1 - i : i), true);
  }
  return whole;
}

absl::StatusOr<std::vector<Tensor>> RunIf(const Node& node, absl::Span<const Tensor> inputs,
                                          const SubgraphRunner& run) {
  if (inputs[0].num_elements() != 1) return OpError("the condition has ", inputs[0].num_elements(), " elements");
  const char* const taken = inputs[0].values<bool>()[0] ? "then_branch" : "else_branch";
  std::vector<Tensor> captured;
  AppendCaptures(node, taken, inputs, captured);
  TANDEM_ASSIGN_OR_RETURN(std::vector<Tensor> results, run(taken, captured));
  for (Tensor& result : results) result = result.Clone();
  return results;
}

// The outputs of a loop that made no step: what it carried, and empty stacks.
absl::StatusOr<std::vector<Tensor>> FinishStacks(const Node& node, std::vector<Tensor> carried,
                                                 std::vector<std::vector<Tensor>>& stacks,
                                                 const std::vector<DataType>& types) {
  std::vector<Tensor> outputs = std::move(carried);
  for (size_t i = 0; i < stacks.size(); ++i) {
    if (stacks[i].empty()) {
      outputs.emplace_back(types[i], Shape{0});
      continue;
    }
    const std::vector<int64_t> axes = node.attributes.Ints("scan_output_axes");
    TANDEM_ASSIGN_OR_RETURN(Tensor whole, Stack(stacks[i], i < axes.size() ? axes[i] : 0,
                                                ScansBackwards(node, "scan_output_directions", static_cast<int>(i))));
    outputs.push_back(std::move(whole));
  }
  return outputs;
}

std::vector<DataType> StackTypes(const Node& node, size_t first_output) {
  const auto body = node.attributes.Subgraph("body");
  std::vector<DataType> types;
  for (size_t i = first_output; i < body->outputs().size(); ++i) {
    const DataType type = body->value(body->outputs()[i]).type;
    types.push_back(type == DataType::kUndefined ? DataType::kFloat32 : type);
  }
  return types;
}

absl::StatusOr<std::vector<Tensor>> RunLoop(const Node& node, absl::Span<const Tensor> inputs,
                                            const SubgraphRunner& run) {
  const int formal = NumFormalInputs(node);
  const int64_t trips = inputs[0].defined() ? inputs[0].values<int64_t>()[0] : std::numeric_limits<int64_t>::max();
  bool keep_going = formal < 2 || !inputs[1].defined() || inputs[1].values<bool>()[0];
  std::vector<Tensor> carried(inputs.begin() + std::min(2, formal), inputs.begin() + formal);
  const std::vector<DataType> types = StackTypes(node, 1 + carried.size());
  std::vector<std::vector<Tensor>> stacks(types.size());
  for (int64_t step = 0; step < trips && keep_going; ++step) {
    if (step == kMostSteps) return OpError("has not ended after ", kMostSteps, " steps");
    std::vector<Tensor> arguments = {Tensor::Scalar<int64_t>(step), Tensor::Scalar<bool>(keep_going)};
    arguments.insert(arguments.end(), carried.begin(), carried.end());
    AppendCaptures(node, "body", inputs, arguments);
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> results, run("body", arguments));
    if (results[0].type() != DataType::kBool || results[0].num_elements() != 1) {
      return OpError("the body's condition is no single bool");
    }
    keep_going = results[0].values<bool>()[0];
    for (size_t i = 0; i < carried.size(); ++i) carried[i] = results[1 + i].Clone();
    for (size_t i = 0; i < stacks.size(); ++i) stacks[i].push_back(results[1 + carried.size() + i].Clone());
  }
  return FinishStacks(node, std::move(carried), stacks, types);
}

absl::StatusOr<std::vector<Tensor>> RunScan(const Node& node, absl::Span<const Tensor> inputs,
                                            const SubgraphRunner& run) {
  const int states = NumScanStates(node);
  const int scanned = NumFormalInputs(node) - states;
  std::vector<Tensor> carried(inputs.begin(), inputs.begin() + states);
  std::vector<int64_t> axes;
  int64_t steps = -1;
  for (int i = 0; i < scanned; ++i) {
    const Tensor& input = inputs[states + i];
    TANDEM_ASSIGN_OR_RETURN(const int64_t axis, ScanAxis(node, "scan_input_axes", i, input.rank()));
    axes.push_back(axis);
    if (steps >= 0 && steps != input.dim(axis)) return OpError("inputs to scan differ in length");
    steps = input.dim(axis);
  }
  const std::vector<DataType> types = StackTypes(node, carried.size());
  std::vector<std::vector<Tensor>> stacks(types.size());
  for (int64_t step = 0; step < steps; ++step) {
    std::vector<Tensor> arguments = carried;
    for (int i = 0; i < scanned; ++i) {
      const Tensor& input = inputs[states + i];
      Shape shape = input.shape();
      shape.erase(shape.begin() + axes[i]);
      Tensor slice(input.type(), std::move(shape));
      CopySlice(input, slice, axes[i], ScansBackwards(node, "scan_input_directions", i) ? steps - 1 - step : step,
                false);
      arguments.push_back(std::move(slice));
    }
    AppendCaptures(node, "body", inputs, arguments);
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> results, run("body", arguments));
    for (size_t i = 0; i < carried.size(); ++i) carried[i] = results[i].Clone();
    for (size_t i = 0; i < stacks.size(); ++i) stacks[i].push_back(results[carried.size() + i].Clone());
  }
  return FinishStacks(node, std::move(carried), stacks, types);
}

absl::Status CheckLoop(const Node& node, absl::Span<const ValueInfo* const> inputs) {
  const Graph& body = *node.attributes.Subgraph("body");
  const int formal = NumFormalInputs(node);
  const size_t captures = CapturePositions(node, "body").size();
  const bool loop = node.op == "Loop";
  if (loop && formal < 1) return OpError("needs a trip count or a condition");
  const int64_t scanned = node.attributes.Int("num_scan_inputs", 0);
  if (!loop && (scanned < 0 || scanned > formal)) {
    return OpError("num_scan_inputs is ", scanned, ", which does not fit its ", formal, " inputs");
  }
  const int carried = loop ? std::max(0, formal - 2) : NumScanStates(node);
  const size_t expected = (loop ? 2 + carried : formal) + captures;
  if (body.inputs().size() != expected) {
    return OpError("the body has ", body.inputs().size(), " inputs; expected ", expected);
  }
  const size_t body_outputs = body.outputs().size();
  const size_t own = loop ? 1 : 0;
  if (body_outputs < own + carried || node.outputs.size() > body_outputs - own) {
    return OpError("the body has ", body_outputs, " outputs, too few");
  }
  for (int i = loop ? 2 : 0; i < formal; ++i) {
    if (inputs[i] == nullptr) return OpError("lacks input ", i);
  }
  if (!loop) return absl::OkStatus();
  if (formal > 0 && inputs[0] != nullptr && inputs[0]->type != DataType::kInt64)
    return OpError("the trip count is no int64");
  if (formal > 1 && inputs[1] != nullptr && inputs[1]->type != DataType::kBool)
    return OpError("the condition is no bool");
  for (int i = 0; i < std::min(2, formal); ++i) {
    if (inputs[i] != nullptr && inputs[i]->shape.has_value() && NumElements(*inputs[i]->shape) != 1) {
      return OpError("input ", i, " is no scalar");
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsControlFlow(const Node& node) { return node.op == "If" || node.op == "Loop" || node.op == "Scan"; }

std::vector<absl::string_view> SubgraphNames(const Node& node) {
  if (node.op == "If") return {"then_branch", "else_branch"};
  return {"body"};
}

absl::Status CheckControlFlow(const Node& node, absl::Span<const ValueInfo* const> inputs) {
  for (absl::string_view name : SubgraphNames(node)) {
    const auto subgraph = node.attributes.Subgraph(name);
    if (subgraph == nullptr) return OpError("lacks the attribute ", name);
    if (subgraph->outputs().size() < node.outputs.size()) return OpError(name, " has too few outputs");
  }
  if (node.op != "If") return CheckLoop(node, inputs);
  if (NumFormalInputs(node) != 1 || inputs[0] == nullptr) return OpError("needs one condition");
  if (inputs[0]->type != DataType::kBool) return OpError("the condition is no bool");
  if (inputs[0]->shape.has_value() && NumElements(*inputs[0]->shape) != 1) return OpError("the condition is no scalar");
  for (absl::string_view name : SubgraphNames(node)) {
    if (node.attributes.Subgraph(name)->inputs().size() != CapturePositions(node, name).size()) {
      return OpError(name, " must have no inputs");
    }
  }
  return absl::OkStatus();
}

std::vector<DataType> SubgraphInputTypes(const Node& node, absl::string_view name, absl::Span<const DataType> inputs) {
  std::vector<DataType> types;
  if (node.op == "Loop") types = {DataType::kInt64, DataType::kBool};
  const int formal = NumFormalInputs(node);
  for (int i = node.op == "Loop" ? 2 : node.op == "If" ? formal : 0; i < formal; ++i) types.push_back(inputs[i]);
  for (int64_t position : CapturePositions(node, name)) types.push_back(inputs[position]);
  return types;
}

absl::StatusOr<std::vector<ValueInfo>> InferControlFlow(const Node& node, absl::Span<const ValueInfo* const> inputs) {
  const bool loop = node.op == "Loop";
  const absl::string_view name = SubgraphNames(node)[0];
  const Graph& subgraph = *node.attributes.Subgraph(name);
  std::vector<ValueInfo> arguments;
  if (loop) arguments = {{DataType::kInt64, Shape{}, {}}, {DataType::kBool, Shape{}, {}}};
  const int formal = NumFormalInputs(node);
  // What is carried may change its shape from step to step, so only its type is known.
  for (int i = loop ? 2 : node.op == "If" ? formal : 0; i < formal; ++i) {
    arguments.push_back({inputs[i]->type, std::nullopt, {}});
  }
  for (int64_t position : CapturePositions(node, name)) arguments.push_back(*inputs[position]);
  TANDEM_ASSIGN_OR_RETURN(const Graph known, Specialize(subgraph, arguments));
  std::vector<ValueInfo> outputs(node.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].type = known.value(known.outputs()[i + (loop ? 1 : 0)]).type;
  }
  return outputs;
}

absl::StatusOr<std::vector<Tensor>> RunControlFlow(const Node& node, absl::Span<const Tensor> inputs,
                                                   const SubgraphRunner& run) {
  if (node.op == "If") return RunIf(node, inputs, run);
  if (node.op == "Loop") return RunLoop(node, inputs, run);
  return RunScan(node, inputs, run);
}

}  // namespace tandem::engine
