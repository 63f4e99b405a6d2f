#include "tests/conformance/reason.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/ops/op.h"

namespace tandem::conformance {

namespace {

constexpr absl::string_view kPlainReasons[] = {"string-type",      "sequence-type", "optional-type",
                                               "float8-int4-type", "complex-type",  "ml-domain",
                                               "training",         "preview",       "random"};
constexpr absl::string_view kRandomOperators[] = {"Bernoulli",        "Multinomial",   "RandomNormal",
                                                  "RandomNormalLike", "RandomUniform", "RandomUniformLike"};
// Operators that the importer replaces or that plans run themselves; they have no kernel to be found.
constexpr absl::string_view kStructural[] = {"Constant", "If", "Loop", "Scan", "Upsample"};

template <size_t kCount>
bool IsIn(const absl::string_view (&list)[kCount], absl::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// What a model is made of, its subgraphs and functions included.
struct Ingredients {
  std::set<std::string> domains;
  std::set<std::string> operators;  // of the default domain
  std::set<int> types;              // TensorProto.DataType
  bool has_sequence = false;
  bool has_optional = false;
  bool trains = false;
};

void AddType(const onnx::TypeProto& type, Ingredients& found) {
  if (type.has_tensor_type()) found.types.insert(type.tensor_type().elem_type());
  if (type.has_sequence_type()) found.has_sequence = true;
  if (type.has_optional_type()) found.has_optional = true;
}

void AddGraph(const onnx::GraphProto& graph, Ingredients& found);

void AddNode(const onnx::NodeProto& node, Ingredients& found) {
  found.domains.insert(node.domain());
  if (node.domain().empty()) found.operators.insert(node.op_type());
  if (absl::StrContains(node.op_type(), "Sequence") && node.op_type() != "ReverseSequence") found.has_sequence = true;
  if (absl::StartsWith(node.op_type(), "Optional")) found.has_optional = true;
  // The third input of Dropout is training_mode.
  if (node.op_type() == "Dropout" && node.input_size() > 2) found.trains = true;
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == "training_mode" && attribute.i() != 0) found.trains = true;
    if (attribute.has_t()) found.types.insert(attribute.t().data_type());
    if (attribute.has_g()) AddGraph(attribute.g(), found);
    if (attribute.name() == "to" || attribute.name() == "output_dtype") {
      found.types.insert(static_cast<int>(attribute.i()));
    }
  }
}

void AddGraph(const onnx::GraphProto& graph, Ingredients& found) {
  for (const auto& input : graph.input()) AddType(input.type(), found);
  for (const auto& output : graph.output()) AddType(output.type(), found);
  for (const auto& value : graph.value_info()) AddType(value.type(), found);
  for (const auto& initializer : graph.initializer()) found.types.insert(initializer.data_type());
  for (const onnx::NodeProto& node : graph.node()) AddNode(node, found);
}

std::string TypeReason(const Ingredients& found) {
  if (found.has_optional) return "optional-type";
  if (found.has_sequence) return "sequence-type";
  if (found.types.count(onnx::TensorProto::STRING) != 0) return "string-type";
  if (found.types.count(onnx::TensorProto::COMPLEX64) + found.types.count(onnx::TensorProto::COMPLEX128) != 0) {
    return "complex-type";
  }
  // Every type added to ONNX after bfloat16 has at most eight bits.
  if (!found.types.empty() && *found.types.rbegin() > onnx::TensorProto::BFLOAT16) return "float8-int4-type";
  return "";
}

std::string DomainReason(const Ingredients& found) {
  if (found.trains) return "training";
  for (const std::string& domain : found.domains) {
    if (absl::StrContains(domain, "training")) return "training";
    if (absl::StrContains(domain, "preview")) return "preview";
    if (absl::StrContains(domain, "ai.onnx.ml")) return "ml-domain";
  }
  return "";
}

std::string OperatorReason(const Ingredients& found, const absl::Status& status) {
  for (const std::string& name : found.operators) {
    if (IsIn(kRandomOperators, name)) return "random";
  }
  if (status.code() != absl::StatusCode::kUnimplemented) return "";
  for (const std::string& name : found.operators) {
    if (engine::FindOp(name) == nullptr && !IsIn(kStructural, name)) {
      return absl::StrCat("unsupported-operator ", name);
    }
  }
  return "";
}

}  // namespace

std::string ReasonFor(const std::string& directory, const absl::Status& status) {
  std::ifstream file(absl::StrCat(directory, "/model.onnx"), std::ios::binary);
  onnx::ModelProto model;
  if (file && model.ParseFromIstream(&file)) {
    Ingredients found;
    AddGraph(model.graph(), found);
    for (const onnx::FunctionProto& function : model.functions()) {
      for (const onnx::NodeProto& node : function.node()) AddNode(node, found);
    }
    for (const std::string& reason : {DomainReason(found), TypeReason(found), OperatorReason(found, status)}) {
      if (!reason.empty()) return reason;
    }
  }
  // Where the case lies is nobody's business.
  const std::string path = absl::StrCat(directory, "/model.onnx: ");
  return absl::StrCat("differs: ", absl::StrReplaceAll(status.message(), {{path, ""}, {"\n", " "}}));
}

std::string KindOf(absl::string_view reason) {
  if (IsIn(kPlainReasons, reason) || absl::StartsWith(reason, "unsupported-operator ")) return std::string(reason);
  return absl::StartsWith(reason, "differs: ") ? "differs" : "";
}

}  // namespace tandem::conformance
