// Small ONNX files for tests, built message by message.
//
//   ModelMaker model;
//   model.Input("x", {-1, 4}).Output("y");
//   model.Node("Relu", {"x"}, {"y"});
//   const auto loaded = model.Load();
#ifndef TANDEM_TESTS_ENGINE_MODEL_MAKER_H_
#define TANDEM_TESTS_ENGINE_MODEL_MAKER_H_

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/model.h"
#include "engine/session.h"
#include "engine/tensor.h"

namespace tandem::engine {

// A folder that is gone with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes `bytes` to the file `name` in the folder and returns its path.
  std::string Write(const std::string& name, absl::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

// A node, to which attributes are added.
class NodeMaker {
 public:
  explicit NodeMaker(onnx::NodeProto* proto) : proto_(proto) {}
  NodeMaker& Int(const std::string& name, int64_t value);
  NodeMaker& Ints(const std::string& name, const std::vector<int64_t>& values);
  NodeMaker& Float(const std::string& name, float value);
  NodeMaker& Floats(const std::string& name, const std::vector<float>& values);
  NodeMaker& String(const std::string& name, const std::string& value);
  NodeMaker& Graph(const std::string& name, const onnx::GraphProto& graph);
  // The attribute that a function's caller gives as `given`.
  NodeMaker& Reference(const std::string& name, onnx::AttributeProto::AttributeType type, const std::string& given);
  onnx::NodeProto& proto() { return *proto_; }

 private:
  onnx::AttributeProto& Add(const std::string& name, onnx::AttributeProto::AttributeType type);
  onnx::NodeProto* proto_;
};

onnx::TensorProto FloatTensor(const std::string& name, const std::vector<int64_t>& dims,
                              const std::vector<float>& values);
onnx::TensorProto Int64Tensor(const std::string& name, const std::vector<int64_t>& dims,
                              const std::vector<int64_t>& values);

// A graph: of a model or of If, Loop and Scan.
class GraphProtoMaker {
 public:
  virtual ~GraphProtoMaker() = default;
  virtual onnx::GraphProto& graph() = 0;
  // -1 is a free dimension.
  GraphProtoMaker& Input(const std::string& name, const std::vector<int64_t>& dims,
                         int type = onnx::TensorProto::FLOAT);
  // Outputs declare no shape.
  GraphProtoMaker& Output(const std::string& name, int type = onnx::TensorProto::FLOAT);
  GraphProtoMaker& Constant(const onnx::TensorProto& tensor);
  NodeMaker Node(const std::string& op, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs);
};

class SubgraphMaker : public GraphProtoMaker {
 public:
  onnx::GraphProto& graph() override { return proto_; }

 private:
  onnx::GraphProto proto_;
};

class ModelMaker : public GraphProtoMaker {
 public:
  explicit ModelMaker(int opset = 21);
  onnx::ModelProto& proto() { return proto_; }
  onnx::GraphProto& graph() override { return *proto_.mutable_graph(); }
  std::string Bytes() const { return proto_.SerializeAsString(); }
  // Written to a temporary file and loaded from there.
  absl::StatusOr<std::shared_ptr<const Model>> Load(const ModelOptions& options = {}) const;
  // One run in a session of its own.
  absl::StatusOr<std::vector<Tensor>> Run(const std::vector<Tensor>& inputs) const;

 private:
  onnx::ModelProto proto_;
};

// Prepares, copies `inputs` in, runs and copies the outputs out.
absl::StatusOr<std::vector<Tensor>> RunModel(Session& session, const std::shared_ptr<const Model>& model,
                                             const std::vector<Tensor>& inputs);

inline Tensor Floats(Shape shape, const std::vector<float>& values) {
  return Tensor::Of<float>(std::move(shape), values);
}
inline Tensor Integers(Shape shape, const std::vector<int64_t>& values) {
  return Tensor::Of<int64_t>(std::move(shape), values);
}
inline Tensor Truth(bool value) { return Tensor::Scalar<bool>(value); }

// The elements of a float32 tensor.
inline std::vector<float> ValuesOf(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

}  // namespace tandem::engine

#endif  // TANDEM_TESTS_ENGINE_MODEL_MAKER_H_
