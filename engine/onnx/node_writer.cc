#include "engine/onnx/node_writer.h"

#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "engine/onnx/tensors.h"
#include "engine/ops/op.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr absl::string_view kCaptures = ".captures";

void SetIntAttribute(onnx::NodeProto& proto, const std::string& name, int64_t value) {
  auto& attribute = *proto.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void SetIntsAttribute(onnx::NodeProto& proto, const std::string& name, const std::vector<int64_t>& values) {
  auto& attribute = *proto.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
}

// Attributes of older operator sets that the importer has understood and the newest set knows no more.
bool IsLegacyAttribute(const Node& node, const std::string& name) {
  if (node.op == "BatchNormalization") return name == "spatial" || name == "is_test" || name == "consumed_inputs";
  if (node.op == "Dropout") return name == "is_test";
  if (node.op == "DFT") return name == "axis";
  return name == "coerce_2d";
}

// Whether flattening to two dimensions changes what a softmax normalizes over.
bool FlattensDimensions(const Graph& graph, const Node& node) {
  if (node.attributes.Int("coerce_2d", 0) == 0) return false;
  const std::optional<Shape>& shape = graph.value(node.inputs[0]).shape;
  const int64_t axis = node.attributes.Int("axis", 1);
  return axis != -1 && (!shape.has_value() || axis + 1 != static_cast<int64_t>(shape->size()));
}

struct AttributeWriter {
  onnx::AttributeProto& proto;

  void operator()(int64_t value) const {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<int64_t>& values) const {
    proto.set_type(onnx::AttributeProto::INTS);
    for (int64_t value : values) proto.add_ints(value);
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(onnx::AttributeProto::FLOATS);
    for (float value : values) proto.add_floats(value);
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(onnx::AttributeProto::STRINGS);
    for (const std::string& value : values) proto.add_strings(value);
  }
  void operator()(const Tensor& tensor) const {
    proto.set_type(onnx::AttributeProto::TENSOR);
    TensorToOnnx(tensor, *proto.mutable_t());
  }
  void operator()(const std::shared_ptr<const Graph>&) const {}  // written with its captures by GraphWriter
};

}  // namespace

std::string NamePool::TakeFrom(Names& taken, const std::string& wanted) {
  std::string name = wanted;
  while (name.empty() || !taken.insert(name).second) {
    name = absl::StrCat(wanted.empty() ? "t" : wanted, wanted.empty() ? "" : "_", next_++);
  }
  return name;
}

const std::string& GraphWriter::NameOf(ValueId id) {
  static const std::string* const absent = new std::string();
  if (id == kNoValue) return *absent;
  if (value_names_[id].empty()) value_names_[id] = names_.Take(graph_.value(id).name);
  return value_names_[id];
}

void GraphWriter::WriteValueInfo(ValueId id, onnx::ValueInfoProto& info) {
  const Value& value = graph_.value(id);
  info.set_name(NameOf(id));
  if (value.type == DataType::kUndefined) return;
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(DataTypeToOnnx(value.type));
  if (!value.shape.has_value()) return;
  auto& shape = *type.mutable_shape();
  for (size_t i = 0; i < value.shape->size(); ++i) {
    auto& dim = *shape.add_dim();
    if ((*value.shape)[i] != kUnknownDim) {
      dim.set_dim_value((*value.shape)[i]);
    } else if (i < value.dim_names.size() && !value.dim_names[i].empty()) {
      dim.set_dim_param(value.dim_names[i]);
    }
  }
}

absl::Status GraphWriter::WriteModel() {
  // Clients know these names: they are taken first.
  for (ValueId id : graph_.inputs()) WriteValueInfo(id, *proto_.add_input());
  for (ValueId id : graph_.outputs()) NameOf(id);
  TANDEM_RETURN_IF_ERROR(WriteBody());
  for (ValueId id : graph_.outputs()) WriteValueInfo(id, *proto_.add_output());
  return absl::OkStatus();
}

absl::Status GraphWriter::WriteSubgraph(const std::vector<std::string>& captured) {
  const size_t own = graph_.inputs().size() - captured.size();
  for (size_t i = 0; i < graph_.inputs().size(); ++i) {
    const ValueId id = graph_.inputs()[i];
    if (i < own) {
      WriteValueInfo(id, *proto_.add_input());
    } else {
      value_names_[id] = captured[i - own];
    }
  }
  TANDEM_RETURN_IF_ERROR(WriteBody());
  for (ValueId id : graph_.outputs()) {
    const Value& value = graph_.value(id);
    // An output that no node of the subgraph makes: its own value, by way of Identity.
    if (value.producer == kNoNode) {
      const std::string copy = AddProto("Identity", {NameOf(id)}).output(0);
      auto& info = *proto_.add_output();
      WriteValueInfo(id, info);
      info.set_name(copy);
    } else {
      WriteValueInfo(id, *proto_.add_output());
    }
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::WriteBody() {
  const auto consumers = graph_.Consumers();
  for (ValueId id = 0; id < graph_.num_values(); ++id) {
    const Value& value = graph_.value(id);
    if (value.quantization.has_value()) {
      return absl::InternalError(
          absl::StrCat("'", value.name, "' is stored quantized; only graphs before that are exported"));
    }
    if (!value.is_constant() || (consumers[id].empty() && !graph_.IsOutput(id))) continue;
    auto& initializer = *proto_.add_initializer();
    TensorToOnnx(value.constant, initializer);
    initializer.set_name(NameOf(id));
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<NodeId> order, graph_.TopologicalOrder());
  for (NodeId id : order) {
    const Node& node = *graph_.node(id);
    TANDEM_RETURN_IF_ERROR(WithContext(WriteNode(node), Describe(node)));
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::WriteNode(const Node& node) {
  if (!node.post_ops.empty()) return absl::InternalError("is fused; only graphs before fusion are exported");
  if (node.op == "Swish") {
    WriteSwish(node);
    return absl::OkStatus();
  }
  if (node.op == "tandem.ChannelShuffle") return WriteChannelShuffle(node);
  if (FlattensDimensions(graph_, node)) return WriteFlatSoftmax(node);
  return WriteOperator(node, *proto_.add_node());
}

absl::Status GraphWriter::WriteOperator(const Node& node, onnx::NodeProto& proto) {
  static const auto* const kNewer = new absl::flat_hash_set<std::string>{
      "Attention", "RMSNormalization", "RotaryEmbedding", "TensorScatter", "CausalConvWithState", "LinearAttention"};
  if (kNewer->contains(node.op))
    return absl::UnimplementedError("is no operator of set 21, to which ONNX files are written");
  const size_t dot = node.op.rfind('.');
  if (dot == std::string::npos) {
    proto.set_op_type(node.op);
  } else {
    const std::string domain = node.op.substr(0, dot);
    if (domain == "tandem") return absl::UnimplementedError("has no form in ONNX");
    proto.set_domain(domain);
    proto.set_op_type(node.op.substr(dot + 1));
    domains_.insert(domain);
  }
  proto.set_name(names_.TakeForNode(node.name));
  size_t own_inputs = node.inputs.size();
  for (const auto& [name, attribute] : node.attributes.map()) {
    if (absl::EndsWith(name, kCaptures)) own_inputs -= std::get<std::vector<int64_t>>(attribute).size();
  }
  for (size_t i = 0; i < own_inputs; ++i) proto.add_input(NameOf(node.inputs[i]));
  // The axis of DFT became an input in set 20.
  if (node.op == "DFT" && node.attributes.Has("axis") && own_inputs < 3) {
    while (proto.input_size() < 2) proto.add_input("");
    auto& axis = *proto_.add_initializer();
    TensorToOnnx(Tensor::Scalar<int64_t>(node.attributes.Int("axis", 1)), axis);
    axis.set_name(names_.Take(""));
    proto.add_input(axis.name());
  }
  for (ValueId id : node.outputs) proto.add_output(NameOf(id));
  return WriteAttributes(node, proto);
}

absl::Status GraphWriter::WriteAttributes(const Node& node, onnx::NodeProto& proto) {
  for (const auto& [name, attribute] : node.attributes.map()) {
    if (absl::EndsWith(name, kCaptures) || IsLegacyAttribute(node, name)) continue;
    if (const auto* subgraph = std::get_if<std::shared_ptr<const Graph>>(&attribute)) {
      TANDEM_RETURN_IF_ERROR(WriteSubgraphAttribute(node, name, **subgraph, proto));
      continue;
    }
    auto& written = *proto.add_attribute();
    written.set_name(name);
    std::visit(AttributeWriter{written}, attribute);
  }
  return absl::OkStatus();
}

absl::Status GraphWriter::WriteSubgraphAttribute(const Node& node, const std::string& name, const Graph& subgraph,
                                                 onnx::NodeProto& proto) {
  std::vector<std::string> captured;
  for (int64_t position : node.attributes.Ints(absl::StrCat(name, kCaptures))) {
    captured.push_back(NameOf(node.inputs[position]));
  }
  auto& written = *proto.add_attribute();
  written.set_name(name);
  written.set_type(onnx::AttributeProto::GRAPH);
  written.mutable_g()->set_name(name);
  return GraphWriter(subgraph, names_, domains_, *written.mutable_g()).WriteSubgraph(captured);
}

onnx::NodeProto& GraphWriter::AddProto(const std::string& op, const std::vector<std::string>& inputs,
                                       std::string output) {
  auto& proto = *proto_.add_node();
  proto.set_op_type(op);
  for (const std::string& input : inputs) proto.add_input(input);
  proto.add_output(output.empty() ? names_.Take("") : std::move(output));
  return proto;
}

std::string GraphWriter::AddInts(std::vector<int64_t> values) {
  auto& initializer = *proto_.add_initializer();
  TensorToOnnx(Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values), initializer);
  initializer.set_name(names_.Take(""));
  return initializer.name();
}

// x * sigmoid(alpha * x).
void GraphWriter::WriteSwish(const Node& node) {
  const std::string x = NameOf(node.inputs[0]);
  std::string scaled = x;
  if (const float alpha = node.attributes.Float("alpha", 1); alpha != 1) {
    auto& initializer = *proto_.add_initializer();
    TensorToOnnx(Tensor::Scalar<float>(alpha), initializer);
    initializer.set_name(names_.Take(""));
    scaled = AddProto("Mul", {x, initializer.name()}).output(0);
  }
  const std::string gate = AddProto("Sigmoid", {scaled}).output(0);
  AddProto("Mul", {x, gate}, NameOf(node.outputs[0])).set_name(names_.TakeForNode(node.name));
}

// Channels seen as [groups, C / groups] and transposed.
absl::Status GraphWriter::WriteChannelShuffle(const Node& node) {
  const std::optional<Shape>& shape = graph_.value(node.inputs[0]).shape;
  if (!shape.has_value()) return absl::UnimplementedError("needs a known shape to be written as ONNX");
  const int64_t groups = node.attributes.Int("groups", 1);
  std::vector<int64_t> split = {(*shape)[0], groups, (*shape)[1] / groups};
  std::vector<int64_t> perm = {0, 2, 1};
  for (size_t i = 2; i < shape->size(); ++i) {
    split.push_back((*shape)[i]);
    perm.push_back(static_cast<int64_t>(i) + 1);
  }
  const std::string parts = AddProto("Reshape", {NameOf(node.inputs[0]), AddInts(std::move(split))}).output(0);
  auto& transpose = AddProto("Transpose", {parts});
  SetIntsAttribute(transpose, "perm", perm);
  const std::string whole = AddInts({shape->begin(), shape->end()});
  AddProto("Reshape", {transpose.output(0), whole}, NameOf(node.outputs[0])).set_name(names_.TakeForNode(node.name));
  return absl::OkStatus();
}

// Softmax and its kin as operator sets before 13 had them: over all dimensions from `axis` on.
absl::Status GraphWriter::WriteFlatSoftmax(const Node& node) {
  const std::string x = NameOf(node.inputs[0]);
  auto& flatten = AddProto("Flatten", {x});
  SetIntAttribute(flatten, "axis", node.attributes.Int("axis", 1));
  auto& softmax = AddProto(node.op, {flatten.output(0)});
  softmax.set_name(names_.TakeForNode(node.name));
  SetIntAttribute(softmax, "axis", 1);
  const std::string normalized = softmax.output(0);
  const std::string shape = AddProto("Shape", {x}).output(0);
  auto& reshape = AddProto("Reshape", {normalized, shape}, NameOf(node.outputs[0]));
  SetIntAttribute(reshape, "allowzero", 1);
  return absl::OkStatus();
}

}  // namespace tandem::engine
