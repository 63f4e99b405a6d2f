#include "engine/onnx/graph_builder.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/onnx/normalize.h"
#include "engine/onnx/tensors.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr int kOldestOpset = 7;
constexpr int kMaxDepth = 32;  // of subgraphs and function calls within each other

bool IsDefaultDomain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

DataType Widened(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBFloat16 ? DataType::kFloat32 : type;
}

// What the whole file shares.
struct FileContext {
  std::string directory;
  absl::flat_hash_map<std::string, const onnx::FunctionProto*> functions;  // by "domain:name"
};

using AttributeProtos = std::map<std::string, const onnx::AttributeProto*>;

// Builds one graph; `parent` is the builder of the graph around it, whose values it may capture.
class GraphBuilder {
 public:
  GraphBuilder(const FileContext& file, GraphBuilder* parent, int opset, int depth)
      : file_(file), parent_(parent), opset_(opset), depth_(depth) {}

  absl::Status AddGraph(const onnx::GraphProto& proto);
  Graph TakeGraph() { return std::move(graph_); }
  // Names of the parent's values that became trailing inputs, in order.
  const std::vector<std::string>& captures() const { return captures_; }

 private:
  struct FunctionScope {
    const AttributeProtos* attributes = nullptr;  // what the caller gave
  };

  absl::Status AddInitializers(const onnx::GraphProto& proto);
  absl::Status AddGraphInput(const onnx::ValueInfoProto& proto);
  absl::Status AddGraphOutput(const onnx::ValueInfoProto& proto);
  absl::Status AddNode(const onnx::NodeProto& proto, const FunctionScope& scope);
  absl::Status AddConstantNode(const onnx::NodeProto& proto, const FunctionScope& scope);
  absl::Status AddOperator(const onnx::NodeProto& proto, const FunctionScope& scope);
  absl::Status ExpandFunction(const onnx::NodeProto& call, const onnx::FunctionProto& function,
                              const FunctionScope& scope);
  absl::Status SetAttribute(const onnx::AttributeProto& proto, const FunctionScope& scope, Node& node);
  absl::Status SetSubgraph(const std::string& name, const onnx::GraphProto& proto, Node& node);
  absl::StatusOr<Value> ValueFrom(const onnx::ValueInfoProto& proto) const;

  // The value called `name` here or, captured, further out; an error when nobody has it.
  absl::StatusOr<ValueId> Resolve(const std::string& name);
  bool CanResolve(const std::string& name) const {
    return names_.contains(name) || (parent_ != nullptr && parent_->CanResolve(name));
  }
  absl::StatusOr<ValueId> Define(const std::string& name, Value value);
  absl::Status Bind(const std::string& name, ValueId id);
  // A Cast node from `input` to `type` (an ONNX number), named `name`.
  ValueId AddCast(ValueId input, DataType to, std::string name);

  const FileContext& file_;
  GraphBuilder* const parent_;
  int opset_;
  int depth_;
  Graph graph_;
  absl::flat_hash_map<std::string, ValueId> names_;
  std::vector<std::string> captures_;
};

// The attribute itself, or what the function's caller gave for the one it refers to; null when the caller gave none.
const onnx::AttributeProto* Dereference(const onnx::AttributeProto& proto, const AttributeProtos* given) {
  if (proto.ref_attr_name().empty()) return &proto;
  if (given == nullptr) return nullptr;
  auto it = given->find(proto.ref_attr_name());
  return it == given->end() ? nullptr : it->second;
}

absl::Status GraphBuilder::AddGraph(const onnx::GraphProto& proto) {
  if (depth_ > kMaxDepth) return absl::InvalidArgumentError("subgraphs are nested too deeply");
  TANDEM_RETURN_IF_ERROR(AddInitializers(proto));
  for (const auto& input : proto.input()) TANDEM_RETURN_IF_ERROR(AddGraphInput(input));
  for (const auto& node : proto.node()) TANDEM_RETURN_IF_ERROR(AddNode(node, {}));
  for (const auto& output : proto.output()) TANDEM_RETURN_IF_ERROR(AddGraphOutput(output));
  return graph_.Validate();
}

absl::Status GraphBuilder::AddInitializers(const onnx::GraphProto& proto) {
  if (proto.sparse_initializer_size() > 0) return absl::UnimplementedError("sparse initializers are not supported");
  for (const auto& initializer : proto.initializer()) {
    TANDEM_ASSIGN_OR_RETURN(const Tensor tensor, TensorFromOnnx(initializer, file_.directory));
    const ValueId id = graph_.AddConstant(initializer.name(), WidenHalf(tensor));
    TANDEM_RETURN_IF_ERROR(Bind(initializer.name(), id));
  }
  return absl::OkStatus();
}

absl::StatusOr<Value> GraphBuilder::ValueFrom(const onnx::ValueInfoProto& proto) const {
  Value value;
  value.name = proto.name();
  if (!proto.type().has_tensor_type()) {
    // Exporters leave the types inside subgraphs open at times; inference finds them.
    const bool open = proto.type().value_case() == onnx::TypeProto::VALUE_NOT_SET;
    if (depth_ > 0 && open) return value;
    return absl::UnimplementedError(
        absl::StrCat("'", proto.name(), "' is no tensor (sequences, maps and optionals are not supported)"));
  }
  const auto& type = proto.type().tensor_type();
  const auto element = DataTypeFromOnnx(type.elem_type());
  if (!element.ok()) return WithContext(element.status(), absl::StrCat("'", proto.name(), "'"));
  value.type = *element;
  if (!type.has_shape()) return value;
  value.shape.emplace();
  for (const auto& dim : type.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() < 0 && dim.dim_value() != kUnknownDim) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", proto.name(), "' has the negative dimension ", dim.dim_value()));
    }
    value.shape->push_back(dim.has_dim_value() ? dim.dim_value() : kUnknownDim);
    value.dim_names.push_back(dim.has_dim_param() ? dim.dim_param() : "");
  }
  return value;
}

absl::Status GraphBuilder::AddGraphInput(const onnx::ValueInfoProto& proto) {
  if (names_.contains(proto.name())) return absl::OkStatus();  // an initializer that old files list as an input too
  TANDEM_ASSIGN_OR_RETURN(Value value, ValueFrom(proto));
  const DataType type = value.type;
  const ValueId id = graph_.AddValue(std::move(value));
  graph_.AddInput(id);
  if (depth_ > 0) graph_.mutable_value(id).type = Widened(type);
  const bool narrow = depth_ == 0 && Widened(type) != type;
  return Bind(proto.name(), narrow ? AddCast(id, DataType::kFloat32, proto.name()) : id);
}

absl::Status GraphBuilder::AddGraphOutput(const onnx::ValueInfoProto& proto) {
  TANDEM_ASSIGN_OR_RETURN(const Value declared, ValueFrom(proto));
  TANDEM_ASSIGN_OR_RETURN(ValueId id, Resolve(proto.name()));
  if (depth_ > 0) {
    graph_.AddOutput(id);
    return absl::OkStatus();
  }
  if (Widened(declared.type) != declared.type) id = AddCast(id, declared.type, proto.name());
  // Outputs are renamed, typed and shaped as the file declares them: clients see this.
  Value& value = graph_.mutable_value(id);
  if (!value.is_constant() && value.producer != kNoNode) {
    value.name = proto.name();
    value.type = declared.type;
    value.shape = declared.shape;
    value.dim_names = declared.dim_names;
    graph_.AddOutput(id);
    return absl::OkStatus();
  }
  // An input or a constant that is an output too: its own value, by way of Identity.
  Node node;
  node.op = "Identity";
  node.inputs = {id};
  const ValueId copy = graph_.AddValue(declared);
  node.outputs = {copy};
  graph_.AddNode(std::move(node));
  graph_.AddOutput(copy);
  return absl::OkStatus();
}

ValueId GraphBuilder::AddCast(ValueId input, DataType to, std::string name) {
  Node cast;
  cast.op = "Cast";
  cast.attributes.Set("to", static_cast<int64_t>(to == DataType::kFloat32   ? onnx::TensorProto::FLOAT
                                                 : to == DataType::kFloat16 ? onnx::TensorProto::FLOAT16
                                                                            : onnx::TensorProto::BFLOAT16));
  cast.inputs = {input};
  Value value;
  value.name = std::move(name);
  value.type = to;
  const ValueId output = graph_.AddValue(std::move(value));
  cast.outputs = {output};
  graph_.AddNode(std::move(cast));
  return output;
}

absl::StatusOr<ValueId> GraphBuilder::Resolve(const std::string& name) {
  if (auto it = names_.find(name); it != names_.end()) return it->second;
  if (!CanResolve(name)) return absl::InvalidArgumentError(absl::StrCat("nothing produces '", name, "'"));
  TANDEM_ASSIGN_OR_RETURN(const ValueId outer, parent_->Resolve(name));
  ValueId id;
  if (const Tensor* constant = parent_->graph_.ConstantOf(outer)) {
    id = graph_.AddConstant(name, *constant);
  } else {
    Value value;
    value.name = name;
    id = graph_.AddValue(std::move(value));
    graph_.AddInput(id);
    captures_.push_back(name);
  }
  names_[name] = id;
  return id;
}

absl::Status GraphBuilder::Bind(const std::string& name, ValueId id) {
  if (!names_.emplace(name, id).second) {
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' is produced twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ValueId> GraphBuilder::Define(const std::string& name, Value value) {
  const ValueId id = graph_.AddValue(std::move(value));
  TANDEM_RETURN_IF_ERROR(Bind(name, id));
  return id;
}

absl::Status GraphBuilder::AddNode(const onnx::NodeProto& proto, const FunctionScope& scope) {
  absl::Status status;
  auto function = file_.functions.find(absl::StrCat(proto.domain(), ":", proto.op_type()));
  if (function != file_.functions.end()) {
    status = ExpandFunction(proto, *function->second, scope);
  } else if (proto.op_type() == "Constant" && IsDefaultDomain(proto.domain())) {
    status = AddConstantNode(proto, scope);
  } else {
    status = AddOperator(proto, scope);
  }
  return WithContext(status, absl::StrCat(proto.op_type(), " '", proto.name(), "'"));
}

absl::Status GraphBuilder::AddConstantNode(const onnx::NodeProto& proto, const FunctionScope& scope) {
  if (proto.attribute_size() != 1 || proto.output_size() != 1) {
    return absl::InvalidArgumentError("needs exactly one attribute and one output");
  }
  const onnx::AttributeProto* attribute = Dereference(proto.attribute(0), scope.attributes);
  if (attribute == nullptr) return absl::InvalidArgumentError("refers to an attribute that is not given");
  const std::string& name = proto.attribute(0).name();
  Tensor tensor;
  if (name == "value") {
    TANDEM_ASSIGN_OR_RETURN(tensor, TensorFromOnnx(attribute->t(), file_.directory));
  } else if (name == "value_float") {
    tensor = Tensor::Scalar<float>(attribute->f());
  } else if (name == "value_int") {
    tensor = Tensor::Scalar<int64_t>(attribute->i());
  } else if (name == "value_floats") {
    const std::vector<float> values(attribute->floats().begin(), attribute->floats().end());
    tensor = Tensor::Of<float>({static_cast<int64_t>(values.size())}, values);
  } else if (name == "value_ints") {
    const std::vector<int64_t> values(attribute->ints().begin(), attribute->ints().end());
    tensor = Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values);
  } else {
    return absl::UnimplementedError(absl::StrCat("attribute '", name, "' is not supported"));
  }
  return Bind(proto.output(0), graph_.AddConstant(proto.output(0), WidenHalf(tensor)));
}

absl::Status GraphBuilder::AddOperator(const onnx::NodeProto& proto, const FunctionScope& scope) {
  Node node;
  node.op = IsDefaultDomain(proto.domain()) ? proto.op_type() : absl::StrCat(proto.domain(), ".", proto.op_type());
  node.name = proto.name();
  for (const std::string& input : proto.input()) {
    if (input.empty()) {
      node.inputs.push_back(kNoValue);
      continue;
    }
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Resolve(input));
    node.inputs.push_back(id);
  }
  while (!node.inputs.empty() && node.inputs.back() == kNoValue) node.inputs.pop_back();
  for (const auto& attribute : proto.attribute()) TANDEM_RETURN_IF_ERROR(SetAttribute(attribute, scope, node));
  for (const std::string& output : proto.output()) {
    if (output.empty()) {
      node.outputs.push_back(kNoValue);
      continue;
    }
    Value value;
    value.name = output;
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Define(output, std::move(value)));
    node.outputs.push_back(id);
  }
  while (!node.outputs.empty() && node.outputs.back() == kNoValue) node.outputs.pop_back();
  if (node.outputs.empty()) return absl::OkStatus();
  TANDEM_RETURN_IF_ERROR(NormalizeNode(opset_, node, graph_));
  graph_.AddNode(std::move(node));
  return absl::OkStatus();
}

// An expanded call: formal names are bound to the caller's values in a scope of their own, made by prefixing.
absl::Status GraphBuilder::ExpandFunction(const onnx::NodeProto& call, const onnx::FunctionProto& function,
                                          const FunctionScope& scope) {
  if (++depth_ > kMaxDepth) return absl::InvalidArgumentError("functions call each other too deeply");
  const std::string prefix = absl::StrCat(call.output_size() > 0 ? call.output(0) : "", "/", function.name(), "/");
  AttributeProtos given;
  for (const auto& attribute : call.attribute()) {
    if (const auto* value = Dereference(attribute, scope.attributes)) given[attribute.name()] = value;
  }
  for (int i = 0; i < function.input_size(); ++i) {
    if (i >= call.input_size() || call.input(i).empty()) continue;
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Resolve(call.input(i)));
    TANDEM_RETURN_IF_ERROR(Bind(prefix + function.input(i), id));
  }
  int opset = opset_;
  for (const auto& import : function.opset_import()) {
    if (IsDefaultDomain(import.domain())) opset = static_cast<int>(import.version());
  }
  std::swap(opset, opset_);
  for (const onnx::NodeProto& body : function.node()) {
    onnx::NodeProto renamed = body;
    for (std::string& input : *renamed.mutable_input()) {
      if (input.empty()) continue;
      input = names_.contains(prefix + input) ? prefix + input : "";
    }
    for (std::string& output : *renamed.mutable_output()) {
      if (!output.empty()) output = prefix + output;
    }
    TANDEM_RETURN_IF_ERROR(AddNode(renamed, {&given}));
  }
  std::swap(opset, opset_);
  for (int i = 0; i < function.output_size() && i < call.output_size(); ++i) {
    if (call.output(i).empty()) continue;
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Resolve(prefix + function.output(i)));
    TANDEM_RETURN_IF_ERROR(Bind(call.output(i), id));
  }
  --depth_;
  return absl::OkStatus();
}

absl::Status GraphBuilder::SetAttribute(const onnx::AttributeProto& proto, const FunctionScope& scope, Node& node) {
  const onnx::AttributeProto* found = Dereference(proto, scope.attributes);
  if (found == nullptr) return absl::OkStatus();  // an optional attribute the caller left out
  const std::string& name = proto.name();
  switch (found->type()) {
    case onnx::AttributeProto::FLOAT:
      node.attributes.Set(name, found->f());
      break;
    case onnx::AttributeProto::INT:
      node.attributes.Set(name, static_cast<int64_t>(found->i()));
      break;
    case onnx::AttributeProto::STRING:
      node.attributes.Set(name, found->s());
      break;
    case onnx::AttributeProto::FLOATS:
      node.attributes.Set(name, std::vector<float>(found->floats().begin(), found->floats().end()));
      break;
    case onnx::AttributeProto::INTS:
      node.attributes.Set(name, std::vector<int64_t>(found->ints().begin(), found->ints().end()));
      break;
    case onnx::AttributeProto::STRINGS:
      node.attributes.Set(name, std::vector<std::string>(found->strings().begin(), found->strings().end()));
      break;
    case onnx::AttributeProto::TENSOR: {
      TANDEM_ASSIGN_OR_RETURN(const Tensor tensor, TensorFromOnnx(found->t(), file_.directory));
      node.attributes.Set(name, WidenHalf(tensor));
      break;
    }
    case onnx::AttributeProto::GRAPH:
      return SetSubgraph(name, found->g(), node);
    default:
      return absl::UnimplementedError(absl::StrCat("attribute '", name, "' has an unsupported type"));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::SetSubgraph(const std::string& name, const onnx::GraphProto& proto, Node& node) {
  GraphBuilder inner(file_, this, opset_, depth_ + 1);
  TANDEM_RETURN_IF_ERROR(inner.AddGraph(proto));
  std::vector<int64_t> positions;  // of the captured values among the node's inputs
  for (const std::string& capture : inner.captures()) {
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Resolve(capture));
    positions.push_back(static_cast<int64_t>(node.inputs.size()));
    node.inputs.push_back(id);
  }
  node.attributes.Set(absl::StrCat(name, ".captures"), std::move(positions));
  node.attributes.Set(name, std::make_shared<const Graph>(inner.TakeGraph()));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Graph> BuildGraph(const onnx::ModelProto& model, const std::string& directory) {
  FileContext file;
  file.directory = directory;
  for (const auto& function : model.functions()) {
    file.functions[absl::StrCat(function.domain(), ":", function.name())] = &function;
  }
  int opset = 1;
  for (const auto& import : model.opset_import()) {
    if (IsDefaultDomain(import.domain())) opset = static_cast<int>(import.version());
  }
  if (opset < kOldestOpset && model.opset_import_size() > 0) {
    return absl::UnimplementedError(
        absl::StrCat("uses operator set ", opset, "; the oldest supported is ", kOldestOpset));
  }
  GraphBuilder builder(file, nullptr, opset, 0);
  TANDEM_RETURN_IF_ERROR(builder.AddGraph(model.graph()));
  return builder.TakeGraph();
}

}  // namespace tandem::engine
