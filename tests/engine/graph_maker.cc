#include "tests/engine/graph_maker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include "engine/compile/compiler.h"
#include "engine/compile/dequantized.h"
#include "engine/compile/post_ops.h"
#include "engine/compile/specialize.h"
#include "engine/ops/quantize.h"
#include "engine/status.h"

namespace tandem::engine {

Tensor RandomFloats(const Shape& shape, uint32_t seed) {
  Tensor tensor(DataType::kFloat32, shape);
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-2, 2);
  for (float& value : tensor.mutable_values<float>()) value = uniform(generator);
  return tensor;
}

ValueId GraphMaker::Input(const Shape& shape, DataType type) {
  Value value;
  value.name = absl::StrCat("input", graph.inputs().size());
  value.type = type;
  value.shape = shape;
  const ValueId id = graph.AddValue(std::move(value));
  graph.AddInput(id);
  return id;
}

ValueId GraphMaker::OpenInput() {
  const ValueId id = Input({});
  graph.mutable_value(id).shape.reset();
  return id;
}

ValueId GraphMaker::Ints(std::vector<int64_t> values) {
  return Constant(Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

ValueId GraphMaker::Op(const std::string& op, std::vector<ValueId> inputs, const Attributes& attributes) {
  return Ops(op, std::move(inputs), 1, attributes)[0];
}

std::vector<ValueId> GraphMaker::Ops(const std::string& op, std::vector<ValueId> inputs, int count,
                                     const Attributes& attributes) {
  Node node;
  node.op = op;
  node.name = absl::StrCat("node", graph.num_nodes());
  node.inputs = std::move(inputs);
  node.attributes = attributes;
  node.outputs.assign(count, kNoValue);
  std::vector<ValueInfo> infos;
  for (ValueId id : node.inputs) {
    infos.push_back(id == kNoValue ? ValueInfo()
                                   : ValueInfo{graph.value(id).type, graph.value(id).shape, graph.value(id).constant});
  }
  std::vector<const ValueInfo*> pointers;
  for (size_t i = 0; i < infos.size(); ++i) pointers.push_back(node.inputs[i] == kNoValue ? nullptr : &infos[i]);
  const auto outputs = InferNode(node, pointers);
  EXPECT_TRUE(outputs.ok()) << Describe(node) << ": " << outputs.status();
  for (int i = 0; i < count; ++i) {
    Value value;
    value.name = absl::StrCat(node.name, ":", i);
    if (outputs.ok()) value.type = (*outputs)[i].type;
    if (outputs.ok()) value.shape = (*outputs)[i].shape;
    node.outputs[i] = graph.AddValue(std::move(value));
  }
  const std::vector<ValueId> results = node.outputs;
  graph.AddNode(std::move(node));
  return results;
}

namespace {

// What readers see of a value that is stored as `quantization` says: `tensor` holds integers, or reals to be rounded.
Tensor Readable(const Tensor& tensor, const std::optional<Quantization>& quantization) {
  if (!quantization.has_value()) return tensor;
  if (tensor.type() != DataType::kFloat32) return Dequantized(tensor, *quantization);
  Tensor stored(quantization->type, tensor.shape());
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const float steps = tensor.values<float>()[i] / quantization->scale();
    if (quantization->type == DataType::kUInt8) {
      stored.mutable_values<uint8_t>()[i] = Quantizer<uint8_t>(quantization->zero_point())(steps);
    } else {
      stored.mutable_values<int8_t>()[i] = Quantizer<int8_t>(quantization->zero_point())(steps);
    }
  }
  return Dequantized(stored, *quantization);
}

absl::Status EvaluateNode(const Node& node, std::vector<Tensor>& values) {
  std::vector<Tensor> inputs;
  for (ValueId id : node.inputs) inputs.push_back(id == kNoValue ? Tensor() : values[id]);
  std::vector<ValueInfo> infos;
  for (const Tensor& input : inputs) infos.push_back({input.type(), input.shape(), input});
  std::vector<const ValueInfo*> known;
  std::vector<const Tensor*> arguments;
  for (int i = 0; i < node.num_own_inputs(); ++i) {
    known.push_back(inputs[i].defined() ? &infos[i] : nullptr);
    arguments.push_back(inputs[i].defined() ? &inputs[i] : nullptr);
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<ValueInfo> outputs, InferNode(node, known));
  std::vector<Tensor> results(outputs.size());
  for (size_t i = 0; i < results.size(); ++i) {
    if (outputs[i].shape.has_value()) results[i] = Tensor(outputs[i].type, *outputs[i].shape);
  }
  KernelContext context(node, arguments, std::move(results));
  TANDEM_RETURN_IF_ERROR(FindOp(node.op)->kernel(context));
  TANDEM_RETURN_IF_ERROR(ApplyPostOps(node, inputs, context.output(0)));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) values[node.outputs[i]] = context.output(static_cast<int>(i));
  }
  return absl::OkStatus();
}

std::vector<Shape> ShapesOf(const std::vector<Tensor>& tensors) {
  std::vector<Shape> shapes;
  for (const Tensor& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

constexpr size_t kGuardBytes = size_t{32} << 10;
constexpr char kUntouched[] = "\xff\xff\xff\x7f";  // a number that would show in results, too

CompileContext FreshContext() { return {std::make_shared<PackedWeights>(), 4, kGuardBytes}; }

// Bytes of an arena, filled with kUntouched before a run, that were written outside of the plan's buffers: oneDNN has
// had kernels that do so.
void ExpectGuardsUntouched(const Plan& plan, const Arena& arena) {
  std::vector<bool> is_buffer(plan.arena_bytes, false);
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.constant != nullptr || buffer.parent != kNoBuffer) continue;
    const auto begin = is_buffer.begin() + static_cast<std::ptrdiff_t>(buffer.offset);
    std::fill(begin, begin + static_cast<std::ptrdiff_t>(buffer.bytes), true);
  }
  size_t touched = 0;
  for (size_t i = 0; i < plan.arena_bytes; ++i)
    touched += !is_buffer[i] && arena.base()[i] != kUntouched[i % 4] ? 1 : 0;
  if (touched == 0) return;
  std::string steps;
  for (const auto& step : plan.steps) absl::StrAppend(&steps, "\n  ", step->Description());
  ADD_FAILURE() << touched << " bytes outside of all buffers were written by one of" << steps;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> Evaluate(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> values(graph.num_values());
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    values[id] = graph.value(id).constant;
    if (values[id].defined()) values[id] = Readable(values[id], graph.value(id).quantization);
  }
  for (size_t i = 0; i < inputs.size(); ++i) values[graph.inputs()[i]] = inputs[i];
  TANDEM_ASSIGN_OR_RETURN(const std::vector<NodeId> order, graph.TopologicalOrder());
  for (NodeId id : order) {
    TANDEM_RETURN_IF_ERROR(WithContext(EvaluateNode(*graph.node(id), values), Describe(*graph.node(id))));
    for (ValueId output : graph.node(id)->outputs) {
      if (output != kNoValue) values[output] = Readable(values[output], graph.value(output).quantization);
    }
  }
  std::vector<Tensor> outputs;
  for (ValueId id : graph.outputs()) outputs.push_back(values[id]);
  return outputs;
}

absl::StatusOr<std::vector<Tensor>> RunPlan(const Graph& graph, const std::vector<Tensor>& inputs, int threads) {
  const CompileContext context = FreshContext();
  TANDEM_ASSIGN_OR_RETURN(auto plan, Compile(graph, ShapesOf(inputs), threads, context));
  Arena arena;
  TANDEM_ASSIGN_OR_RETURN(const auto bound, BoundPlan::Bind(std::move(plan), arena, 0));
  // What an earlier plan left in the arena must not matter.
  for (size_t i = 0; i + 4 <= arena.size(); i += 4) std::memcpy(arena.base() + i, kUntouched, 4);
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor& to = bound->input(static_cast<int>(i));
    if (to.num_bytes() > 0) std::memcpy(to.data(), inputs[i].data(), to.num_bytes());
  }
  TANDEM_RETURN_IF_ERROR(bound->Run());
  ExpectGuardsUntouched(bound->plan(), arena);
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < graph.outputs().size(); ++i) outputs.push_back(bound->output(static_cast<int>(i)).Clone());
  return outputs;
}

std::vector<std::string> StepsOf(const Graph& graph) {
  const CompileContext context = FreshContext();
  const auto plan = Compile(graph, ShapesOf(InputsOf(graph)), 1, context);
  EXPECT_TRUE(plan.ok()) << plan.status();
  std::vector<std::string> steps;
  if (!plan.ok()) return steps;
  for (const auto& step : (*plan)->steps) steps.push_back(step->Description());
  return steps;
}

std::vector<Tensor> InputsOf(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (ValueId id : graph.inputs()) {
    inputs.push_back(RandomFloats(graph.value(id).shape.value_or(Shape{}), static_cast<uint32_t>(inputs.size())));
  }
  return inputs;
}

void ExpectClose(const Tensor& actual, const Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.type(), expected.type());
  ASSERT_EQ(ToString(actual.shape()), ToString(expected.shape()));
  if (actual.type() != DataType::kFloat32) {
    ASSERT_EQ(std::memcmp(actual.data(), expected.data(), actual.num_bytes()), 0);
    return;
  }
  double largest = 1e-3;
  for (float value : expected.values<float>()) largest = std::max<double>(largest, std::abs(value));
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    const double want = expected.values<float>()[i], got = actual.values<float>()[i];
    if (std::isnan(want) && std::isnan(got)) continue;
    if (want == got) continue;
    ASSERT_LE(std::abs(got - want), tolerance * largest) << "element " << i << " is " << got << ", not " << want;
  }
}

void ExpectPlanAgrees(const Graph& graph, double tolerance) {
  const std::vector<Tensor> inputs = InputsOf(graph);
  const auto expected = Evaluate(graph, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status();
  const auto actual = RunPlan(graph, inputs);
  ASSERT_TRUE(actual.ok()) << actual.status();
  for (size_t i = 0; i < expected->size(); ++i) ExpectClose((*actual)[i], (*expected)[i], tolerance);
}

std::vector<std::string> OpsOf(const Graph& graph) {
  std::vector<std::string> ops;
  const auto order = graph.TopologicalOrder();
  EXPECT_TRUE(order.ok()) << order.status();
  for (NodeId id : *order) {
    std::string text = graph.node(id)->op;
    for (const PostOp& post_op : graph.node(id)->post_ops) absl::StrAppend(&text, "+", post_op.op);
    ops.push_back(std::move(text));
  }
  return ops;
}

Graph Rewritten(const Graph& graph, Rewrite rewrite, double tolerance) {
  Graph after = graph;
  const Pass pass = {"the pass", rewrite};
  EXPECT_TRUE(RunPasses(after, {&pass, 1}).ok());
  EXPECT_TRUE(after.Validate().ok()) << after.Validate();
  const std::vector<Tensor> inputs = InputsOf(graph);
  const auto expected = Evaluate(graph, inputs), actual = Evaluate(after, inputs);
  EXPECT_TRUE(expected.ok()) << expected.status();
  EXPECT_TRUE(actual.ok()) << actual.status();
  if (!expected.ok() || !actual.ok()) return after;
  for (size_t i = 0; i < expected->size(); ++i) ExpectClose((*actual)[i], (*expected)[i], tolerance);
  return after;
}

}  // namespace tandem::engine
