#include "tests/engine/model_maker.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "engine/check.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

void SetType(onnx::ValueInfoProto& value, const std::string& name, int type) {
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(type);
}

onnx::TensorProto TensorOf(const std::string& name, const std::vector<int64_t>& dims, int type) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (int64_t dim : dims) tensor.add_dims(dim);
  return tensor;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tandem_test_XXXXXX").string();
  TANDEM_CHECK(mkdtemp(pattern.data()) != nullptr, pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::Write(const std::string& name, absl::string_view bytes) const {
  const std::string file = (path_ / name).string();
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  TANDEM_CHECK(stream.good(), file);
  return file;
}

onnx::AttributeProto& NodeMaker::Add(const std::string& name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *proto_->add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

NodeMaker& NodeMaker::Int(const std::string& name, int64_t value) {
  Add(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

NodeMaker& NodeMaker::Ints(const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto& attribute = Add(name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
  return *this;
}

NodeMaker& NodeMaker::Float(const std::string& name, float value) {
  Add(name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

NodeMaker& NodeMaker::Floats(const std::string& name, const std::vector<float>& values) {
  onnx::AttributeProto& attribute = Add(name, onnx::AttributeProto::FLOATS);
  for (float value : values) attribute.add_floats(value);
  return *this;
}

NodeMaker& NodeMaker::String(const std::string& name, const std::string& value) {
  Add(name, onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

NodeMaker& NodeMaker::Graph(const std::string& name, const onnx::GraphProto& graph) {
  *Add(name, onnx::AttributeProto::GRAPH).mutable_g() = graph;
  return *this;
}

NodeMaker& NodeMaker::Reference(const std::string& name, onnx::AttributeProto::AttributeType type,
                                const std::string& given) {
  Add(name, type).set_ref_attr_name(given);
  return *this;
}

onnx::TensorProto FloatTensor(const std::string& name, const std::vector<int64_t>& dims,
                              const std::vector<float>& values) {
  onnx::TensorProto tensor = TensorOf(name, dims, onnx::TensorProto::FLOAT);
  for (float value : values) tensor.add_float_data(value);
  return tensor;
}

onnx::TensorProto Int64Tensor(const std::string& name, const std::vector<int64_t>& dims,
                              const std::vector<int64_t>& values) {
  onnx::TensorProto tensor = TensorOf(name, dims, onnx::TensorProto::INT64);
  for (int64_t value : values) tensor.add_int64_data(value);
  return tensor;
}

GraphProtoMaker& GraphProtoMaker::Input(const std::string& name, const std::vector<int64_t>& dims, int type) {
  onnx::ValueInfoProto& input = *graph().add_input();
  SetType(input, name, type);
  auto* const shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
  for (int64_t dim : dims) {
    auto* const entry = shape->add_dim();
    if (dim >= 0) entry->set_dim_value(dim);
  }
  return *this;
}

GraphProtoMaker& GraphProtoMaker::Output(const std::string& name, int type) {
  SetType(*graph().add_output(), name, type);
  return *this;
}

GraphProtoMaker& GraphProtoMaker::Constant(const onnx::TensorProto& tensor) {
  *graph().add_initializer() = tensor;
  return *this;
}

NodeMaker GraphProtoMaker::Node(const std::string& op, const std::vector<std::string>& inputs,
                                const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *graph().add_node();
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return NodeMaker(&node);
}

ModelMaker::ModelMaker(int opset) {
  proto_.set_ir_version(9);
  proto_.add_opset_import()->set_version(opset);
}

absl::StatusOr<std::shared_ptr<const Model>> ModelMaker::Load(const ModelOptions& options) const {
  const TemporaryFolder folder;
  return Model::Load(folder.Write("model.onnx", Bytes()), options);
}

absl::StatusOr<std::vector<Tensor>> ModelMaker::Run(const std::vector<Tensor>& inputs) const {
  TANDEM_ASSIGN_OR_RETURN(const auto model, Load());
  Session session;
  return RunModel(session, model, inputs);
}

absl::StatusOr<std::vector<Tensor>> RunModel(Session& session, const std::shared_ptr<const Model>& model,
                                             const std::vector<Tensor>& inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  TANDEM_ASSIGN_OR_RETURN(Execution* const run, session.Prepare(model, shapes));
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor& to = run->input(static_cast<int>(i));
    if (to.type() != inputs[i].type()) return absl::InvalidArgumentError("an input of another type");
    if (to.num_bytes() > 0) std::memcpy(to.data(), inputs[i].data(), to.num_bytes());
  }
  TANDEM_RETURN_IF_ERROR(run->Run());
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < model->outputs().size(); ++i) outputs.push_back(run->output(static_cast<int>(i)).Clone());
  return outputs;
}

}  // namespace tandem::engine
