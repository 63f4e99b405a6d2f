#include "engine/onnx/normalize.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

void PlaceInput(Node& node, size_t index, ValueId id) {
  if (node.inputs.size() <= index) node.inputs.resize(index + 1, kNoValue);
  node.inputs[index] = id;
}

ValueId Integers(Graph& graph, absl::Span<const int64_t> values) {
  return graph.AddConstant("", Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

// Attribute `name` (a list of integers) becomes input `index`.
void IntsToInput(Node& node, Graph& graph, absl::string_view name, size_t index) {
  const auto* values = node.attributes.Find<std::vector<int64_t>>(name);
  if (values == nullptr) return;
  PlaceInput(node, index, Integers(graph, *values));
  node.attributes.Erase(name);
}

void FloatToInput(Node& node, Graph& graph, absl::string_view name, size_t index) {
  const auto* value = node.attributes.Find<float>(name);
  if (value == nullptr) return;
  PlaceInput(node, index, graph.AddConstant("", Tensor::Scalar<float>(*value)));
  node.attributes.Erase(name);
}

ValueId AddNodeFor(Graph& graph, const char* op, std::vector<ValueId> inputs, Attributes attributes = {}) {
  Node node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  const ValueId output = graph.AddValue({});
  node.outputs = {output};
  graph.AddNode(std::move(node));
  return output;
}

// Opset 10's Resize and Upsample: scales only, asymmetric, rounding down.
void ToResize(Node& node, Graph& graph) {
  node.op = "Resize";
  if (const auto* scales = node.attributes.Find<std::vector<float>>("scales")) {
    const auto count = static_cast<int64_t>(scales->size());
    PlaceInput(node, 1, graph.AddConstant("", Tensor::Of<float>({count}, *scales)));
    node.attributes.Erase("scales");
  }
  if (node.inputs.size() == 2) node.inputs.insert(node.inputs.begin() + 1, kNoValue);
  node.attributes.Set("coordinate_transformation_mode", std::string("asymmetric"));
  node.attributes.Set("nearest_mode", std::string("floor"));
}

// Opset 18's GroupNormalization scales per group, the newest per channel: each group's value is repeated.
void RepeatGroups(Node& node, Graph& graph) {
  const int64_t groups = node.attributes.Int("num_groups", 1);
  if (node.inputs.size() < 3) return;
  Attributes channel_dim;
  channel_dim.Set("start", int64_t{1});
  channel_dim.Set("end", int64_t{2});
  const ValueId channels = AddNodeFor(graph, "Shape", {node.inputs[0]}, channel_dim);
  const ValueId count = Integers(graph, {groups});
  Attributes axis;
  axis.Set("axis", int64_t{0});
  const ValueId wide =
      AddNodeFor(graph, "Concat", {count, AddNodeFor(graph, "Div", {channels, count})}, std::move(axis));
  for (size_t i = 1; i < 3; ++i) {
    const ValueId column = AddNodeFor(graph, "Reshape", {node.inputs[i], Integers(graph, {-1, 1})});
    node.inputs[i] = AddNodeFor(graph, "Reshape", {AddNodeFor(graph, "Expand", {column, wide}), Integers(graph, {-1})});
  }
}

// Half floats are computed in float32, so whatever asks for them gets float32.
void WidenTypeAttribute(Node& node, absl::string_view name) {
  const int64_t type = node.attributes.Int(name, 0);
  if (type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16) {
    node.attributes.Set(name, static_cast<int64_t>(onnx::TensorProto::FLOAT));
  }
}

bool IsReduction(const Node& node) {
  static const auto* const kNames = new absl::flat_hash_set<std::string>{
      "ReduceMean", "ReduceMax", "ReduceMin",    "ReduceProd",     "ReduceSumSquare",
      "ReduceL1",   "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp"};
  return kNames->contains(node.op);
}

absl::Status NormalizeSplit(int opset, Node& node, Graph& graph) {
  if (opset < 13) IntsToInput(node, graph, "split", 1);
  if (node.inputs.size() < 2 && !node.attributes.Has("num_outputs")) {
    node.attributes.Set("num_outputs", static_cast<int64_t>(node.outputs.size()));
  }
  return absl::OkStatus();
}

// ONNX Runtime's own operators, as its quantizer writes them.
constexpr absl::string_view kMicrosoft = "com.microsoft.";

absl::Status NormalizeMicrosoft(Node& node) {
  if (node.attributes.Int("channels_last", 0) != 0) {
    return absl::UnimplementedError("attribute channels_last = 1 is not supported: channels must come first");
  }
  // The same operators as ONNX's, from before those had 16 bits.
  const absl::string_view name = absl::StripPrefix(node.op, kMicrosoft);
  if (name == "QuantizeLinear" || name == "DequantizeLinear") node.op = std::string(name);
  return absl::OkStatus();
}

void NormalizeSlice(Node& node, Graph& graph) {
  IntsToInput(node, graph, "starts", 1);
  IntsToInput(node, graph, "ends", 2);
  IntsToInput(node, graph, "axes", 3);
}

}  // namespace

absl::Status NormalizeNode(int opset, Node& node, Graph& graph) {
  if (absl::StartsWith(node.op, kMicrosoft)) return NormalizeMicrosoft(node);
  const std::string& op = node.op;
  for (const char* name : {"to", "dtype", "output_dtype"}) WidenTypeAttribute(node, name);
  // Before it became an input, DFT's axis was an attribute with another default.
  if (op == "DFT" && opset < 20 && !node.attributes.Has("axis")) node.attributes.Set("axis", int64_t{1});
  if (op == "Squeeze" || op == "Unsqueeze" || op == "ReduceSum") {
    if (opset < 13) IntsToInput(node, graph, "axes", 1);
  } else if (IsReduction(node)) {
    if (opset < 18) IntsToInput(node, graph, "axes", 1);
  } else if (op == "Split") {
    return NormalizeSplit(opset, node, graph);
  } else if (op == "Slice") {
    if (opset < 10) NormalizeSlice(node, graph);
  } else if (op == "Pad") {
    if (opset < 11) {
      IntsToInput(node, graph, "pads", 1);
      FloatToInput(node, graph, "value", 2);
    }
  } else if (op == "Clip") {
    if (opset < 11) {
      FloatToInput(node, graph, "min", 1);
      FloatToInput(node, graph, "max", 2);
    }
  } else if (op == "TopK") {
    if (opset < 10 && node.attributes.Has("k")) {
      PlaceInput(node, 1, Integers(graph, {node.attributes.Int("k", 1)}));
      node.attributes.Erase("k");
    }
  } else if (op == "Dropout") {
    if (opset < 12) {
      node.attributes.Erase("ratio");
      node.inputs.resize(std::min<size_t>(node.inputs.size(), 1));
    }
  } else if (op == "Upsample" || (op == "Resize" && opset < 11)) {
    ToResize(node, graph);
  } else if (op == "Softmax" || op == "LogSoftmax" || op == "Hardmax") {
    if (opset < 13) {
      if (!node.attributes.Has("axis")) node.attributes.Set("axis", int64_t{1});
      node.attributes.Set("coerce_2d", int64_t{1});
    }
  } else if (op == "GroupNormalization") {
    if (opset < 21) RepeatGroups(node, graph);
  } else if (op == "BatchNormalization") {
    if (node.attributes.Int("spatial", 1) == 0) {
      return absl::UnimplementedError("attribute spatial = 0 is not supported");
    }
    node.outputs.resize(std::min<size_t>(node.outputs.size(), node.attributes.Int("training_mode", 0) != 0 ? 3 : 1));
  } else if (op == "Sum" && node.inputs.size() == 2) {
    node.op = "Add";
  } else if (op == "Scatter") {
    node.op = "ScatterElements";
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
