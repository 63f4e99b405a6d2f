// The part of GraphBuilder that reads nodes.
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "engine/onnx/graph_builder.h"
#include "engine/onnx/normalize.h"
#include "engine/onnx/tensors.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// Beside each subgraph, an attribute of this suffix tells which of the node's inputs it captures.
constexpr absl::string_view kCaptures = ".captures";

}  // namespace

const onnx::AttributeProto* GraphBuilder::Dereference(const onnx::AttributeProto& proto) const {
  if (proto.ref_attr_name().empty()) return &proto;
  if (scope_.attributes == nullptr) return nullptr;
  auto it = scope_.attributes->find(proto.ref_attr_name());
  return it == scope_.attributes->end() ? nullptr : it->second;
}

absl::Status GraphBuilder::AddNode(const onnx::NodeProto& proto) {
  if (--file_.nodes_left < 0) return absl::InvalidArgumentError("has too many nodes, calls of functions expanded");
  absl::Status status;
  auto function = file_.functions.find(absl::StrCat(proto.domain(), ":", proto.op_type()));
  if (function != file_.functions.end()) {
    status = ExpandFunction(proto, *function->second);
  } else if (proto.op_type() == "Constant" && IsDefaultDomain(proto.domain())) {
    status = AddConstantNode(proto);
  } else {
    status = AddOperator(proto);
  }
  return WithContext(status, absl::StrCat(proto.op_type(), " '", proto.name(), "'"));
}

absl::Status GraphBuilder::AddConstantNode(const onnx::NodeProto& proto) {
  if (proto.attribute_size() != 1 || proto.output_size() != 1) {
    return absl::InvalidArgumentError("needs exactly one attribute and one output");
  }
  const onnx::AttributeProto* attribute = Dereference(proto.attribute(0));
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
  file_.constant_bytes_left -= static_cast<int64_t>(tensor.num_bytes());
  if (file_.constant_bytes_left < 0) return absl::InvalidArgumentError("constants are too large in all");
  return Bind(proto.output(0), graph_.AddConstant(proto.output(0), WidenHalf(tensor)));
}

absl::Status GraphBuilder::AddOperator(const onnx::NodeProto& proto) {
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
  for (const auto& attribute : proto.attribute()) TANDEM_RETURN_IF_ERROR(SetAttribute(attribute, node));
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
  TANDEM_RETURN_IF_ERROR(NormalizeNode(scope_.opset, node, graph_));
  graph_.AddNode(std::move(node));
  return absl::OkStatus();
}

absl::StatusOr<GraphBuilder::Scope> GraphBuilder::ScopeOfCall(const onnx::NodeProto& call,
                                                              const onnx::FunctionProto& function) {
  Scope scope;
  scope.opset = scope_.opset;
  for (const auto& import : function.opset_import()) {
    if (IsDefaultDomain(import.domain())) scope.opset = static_cast<int>(import.version());
  }
  scope.sees_parent = false;
  if (call.input_size() > function.input_size() || call.output_size() > function.output_size()) {
    return absl::InvalidArgumentError(absl::StrCat("the function has ", function.input_size(), " inputs and ",
                                                   function.output_size(), " outputs; the call gives ",
                                                   call.input_size(), " and ", call.output_size()));
  }
  for (int i = 0; i < function.input_size(); ++i) {
    ValueId id = kNoValue;
    if (i < call.input_size() && !call.input(i).empty()) {
      TANDEM_ASSIGN_OR_RETURN(id, Resolve(call.input(i)));
    }
    scope.values[function.input(i)] = id;
  }
  return scope;
}

absl::Status GraphBuilder::ExpandFunction(const onnx::NodeProto& call, const onnx::FunctionProto& function) {
  if (depth_ >= kMaxDepth) return absl::InvalidArgumentError("functions call each other too deeply");
  AttributeProtos given;
  for (const auto& attribute : call.attribute()) {
    if (const auto* value = Dereference(attribute)) given[attribute.name()] = value;
  }
  TANDEM_ASSIGN_OR_RETURN(Scope scope, ScopeOfCall(call, function));
  scope.attributes = &given;
  ++depth_;
  std::swap(scope_, scope);
  for (const onnx::NodeProto& node : function.node()) TANDEM_RETURN_IF_ERROR(AddNode(node));
  std::vector<ValueId> results;
  for (int i = 0; i < call.output_size(); ++i) {
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Resolve(function.output(i)));
    results.push_back(id);
  }
  std::swap(scope_, scope);
  --depth_;
  for (int i = 0; i < call.output_size(); ++i) {
    if (!call.output(i).empty()) TANDEM_RETURN_IF_ERROR(Bind(call.output(i), results[i]));
  }
  return absl::OkStatus();
}

absl::Status GraphBuilder::SetAttribute(const onnx::AttributeProto& proto, Node& node) {
  const onnx::AttributeProto* found = Dereference(proto);
  if (found == nullptr) return absl::OkStatus();  // an optional attribute the caller left out
  const std::string& name = proto.name();
  if (node.attributes.Has(name))
    return absl::InvalidArgumentError(absl::StrCat("attribute '", name, "' is given twice"));
  if (absl::EndsWith(name, kCaptures)) {
    return absl::InvalidArgumentError(absl::StrCat("attribute '", name, "' has a reserved name"));
  }
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
  GraphBuilder inner(file_, this, scope_.opset, depth_ + 1, scope_.attributes);
  TANDEM_RETURN_IF_ERROR(inner.AddGraph(proto));
  std::vector<int64_t> positions;  // of the captured values among the node's inputs
  for (const std::string& capture : inner.captures_) {
    TANDEM_ASSIGN_OR_RETURN(const ValueId id, Resolve(capture));
    positions.push_back(static_cast<int64_t>(node.inputs.size()));
    node.inputs.push_back(id);
  }
  node.attributes.Set(absl::StrCat(name, kCaptures), std::move(positions));
  node.attributes.Set(name, std::make_shared<const Graph>(inner.TakeGraph()));
  return absl::OkStatus();
}

}  // namespace tandem::engine
