#include "tests/conformance/run_case.h"

#include <onnx/onnx_pb.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/model.h"
#include "engine/onnx/tensors.h"
#include "engine/session.h"
#include "engine/status.h"
#include "tests/conformance/compare.h"

namespace tandem::conformance {

namespace {

namespace fs = std::filesystem;
using engine::Tensor;

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

absl::StatusOr<NamedTensor> ReadTensor(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  onnx::TensorProto proto;
  if (!file || !proto.ParseFromIstream(&file)) {
    return absl::DataLossError(absl::StrCat(path.filename().string(), " holds no tensor"));
  }
  TANDEM_ASSIGN_OR_RETURN(Tensor tensor, engine::TensorFromOnnx(proto, path.parent_path().string()));
  return NamedTensor{proto.name(), std::move(tensor)};
}

// input_0.pb, input_1.pb, ... of one data set.
absl::StatusOr<std::vector<NamedTensor>> ReadTensors(const fs::path& directory, absl::string_view prefix) {
  std::vector<NamedTensor> tensors;
  while (true) {
    const fs::path path = directory / absl::StrCat(prefix, "_", tensors.size(), ".pb");
    if (!fs::exists(path)) return tensors;
    TANDEM_ASSIGN_OR_RETURN(NamedTensor tensor, ReadTensor(path));
    tensors.push_back(std::move(tensor));
  }
}

// The tensors in the order of `specs`: by name where all are named, else as they come.
absl::StatusOr<std::vector<Tensor>> Ordered(const std::vector<engine::TensorSpec>& specs,
                                            const std::vector<NamedTensor>& tensors) {
  if (specs.size() != tensors.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model has ", specs.size(), " tensors where the case has ", tensors.size()));
  }
  std::vector<Tensor> ordered;
  for (size_t i = 0; i < specs.size(); ++i) {
    const Tensor* found = &tensors[i].tensor;
    for (const NamedTensor& candidate : tensors) {
      if (candidate.name == specs[i].name) found = &candidate.tensor;
    }
    ordered.push_back(*found);
  }
  return ordered;
}

absl::Status RunDataSet(engine::Session& session, const std::shared_ptr<const engine::Model>& model,
                        const fs::path& directory) {
  TANDEM_ASSIGN_OR_RETURN(const auto given, ReadTensors(directory, "input"));
  TANDEM_ASSIGN_OR_RETURN(const auto wanted, ReadTensors(directory, "output"));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, Ordered(model->inputs(), given));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, Ordered(model->outputs(), wanted));
  std::vector<engine::Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  TANDEM_ASSIGN_OR_RETURN(engine::Execution * run, session.Prepare(model, shapes));
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor& target = run->input(static_cast<int>(i));
    if (target.type() != inputs[i].type() || target.shape() != inputs[i].shape()) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is ", engine::NameOf(inputs[i].type()),
                                                     ", the model's ", engine::NameOf(target.type()),
                                                     engine::ToString(target.shape())));
    }
    if (inputs[i].num_bytes() > 0) std::memcpy(target.data(), inputs[i].data(), inputs[i].num_bytes());
  }
  TANDEM_RETURN_IF_ERROR(run->Run());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string difference = Difference(outputs[i], run->output(static_cast<int>(i)));
    if (!difference.empty()) return absl::DataLossError(absl::StrCat("output ", i, ": ", difference));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunCase(const std::string& directory) {
  TANDEM_ASSIGN_OR_RETURN(const auto model, engine::Model::Load((fs::path(directory) / "model.onnx").string()));
  engine::Session session;
  int sets = 0;
  while (true) {
    const fs::path data = fs::path(directory) / absl::StrCat("test_data_set_", sets);
    if (!fs::exists(data)) break;
    TANDEM_RETURN_IF_ERROR(RunDataSet(session, model, data));
    ++sets;
  }
  return sets > 0 ? absl::OkStatus() : absl::NotFoundError("the case has no data");
}

}  // namespace tandem::conformance
