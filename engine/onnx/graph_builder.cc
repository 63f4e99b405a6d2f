#include "engine/onnx/graph_builder.h"

#include <algorithm>
#include <utility>

#include "engine/onnx/tensors.h"
#include "engine/ops/dims.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

DataType Widened(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBFloat16 ? DataType::kFloat32 : type;
}

}  // namespace

bool IsDefaultDomain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

absl::Status GraphBuilder::AddGraph(const onnx::GraphProto& proto) {
  if (depth_ > kMaxDepth) return absl::InvalidArgumentError("subgraphs are nested too deeply");
  TANDEM_RETURN_IF_ERROR(AddInitializers(proto));
  for (const auto& input : proto.input()) TANDEM_RETURN_IF_ERROR(AddGraphInput(input));
  for (const auto& node : proto.node()) TANDEM_RETURN_IF_ERROR(AddNode(node));
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
  Shape least = *value.shape;
  std::replace(least.begin(), least.end(), kUnknownDim, int64_t{1});
  TANDEM_RETURN_IF_ERROR(WithContext(CheckDims(least), absl::StrCat("'", proto.name(), "'")));
  return value;
}

absl::Status GraphBuilder::AddGraphInput(const onnx::ValueInfoProto& proto) {
  if (auto it = scope_.values.find(proto.name());
      it != scope_.values.end() && graph_.ConstantOf(it->second) != nullptr) {
    return absl::OkStatus();  // an initializer that old files list as an input too
  }
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
  if (id == kNoValue) return absl::InvalidArgumentError(absl::StrCat("nothing produces '", proto.name(), "'"));
  if (depth_ > 0) {
    graph_.AddOutput(id);
    return absl::OkStatus();
  }
  if (Widened(declared.type) != declared.type) id = AddCast(id, declared.type, proto.name());
  // Outputs are renamed, typed and shaped as the file declares them: clients see this.
  Value& value = graph_.mutable_value(id);
  if (!value.is_constant() && value.producer != kNoNode && !graph_.IsOutput(id)) {
    value.name = proto.name();
    value.type = declared.type;
    value.shape = declared.shape;
    value.dim_names = declared.dim_names;
    graph_.AddOutput(id);
    return absl::OkStatus();
  }
  // An input, a constant or another output that is an output too: its own value, by way of Identity.
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

bool GraphBuilder::CanResolve(const std::string& name) const {
  return scope_.values.contains(name) || (scope_.sees_parent && parent_ != nullptr && parent_->CanResolve(name));
}

absl::StatusOr<ValueId> GraphBuilder::Resolve(const std::string& name) {
  if (auto it = scope_.values.find(name); it != scope_.values.end()) return it->second;
  if (!CanResolve(name)) return absl::InvalidArgumentError(absl::StrCat("nothing produces '", name, "'"));
  TANDEM_ASSIGN_OR_RETURN(const ValueId outer, parent_->Resolve(name));
  ValueId id = kNoValue;
  if (outer == kNoValue) {
    // An optional input of a function that its caller left out is absent in the function's subgraphs too.
  } else if (const Tensor* constant = parent_->graph_.ConstantOf(outer)) {
    id = graph_.AddConstant(name, *constant);
  } else {
    Value value;
    value.name = name;
    id = graph_.AddValue(std::move(value));
    graph_.AddInput(id);
    captures_.push_back(name);
  }
  scope_.values[name] = id;
  return id;
}

absl::Status GraphBuilder::Bind(const std::string& name, ValueId id) {
  if (!scope_.values.emplace(name, id).second) {
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' is produced twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ValueId> GraphBuilder::Define(const std::string& name, Value value) {
  const ValueId id = graph_.AddValue(std::move(value));
  TANDEM_RETURN_IF_ERROR(Bind(name, id));
  return id;
}

}  // namespace tandem::engine
