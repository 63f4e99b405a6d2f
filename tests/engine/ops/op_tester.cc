#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {

OpTester& OpTester::Input(Tensor tensor) {
  inputs_.push_back(std::move(tensor));
  return *this;
}

OpTester& OpTester::AbsentInput() {
  inputs_.emplace_back();
  return *this;
}

absl::StatusOr<std::vector<Tensor>> OpTester::Execute() {
  const OpDef* op = FindOp(node_.op);
  if (op == nullptr) return absl::NotFoundError(node_.op);
  node_.attributes = attributes;
  node_.inputs.assign(inputs_.size(), 0);
  node_.outputs.assign(num_outputs_, 0);

  std::vector<ValueInfo> infos;
  infos.reserve(inputs_.size());
  for (const Tensor& input : inputs_) {
    infos.push_back({input.type(), input.shape(), known_contents ? input : Tensor()});
  }
  const auto infer = [&]() -> absl::StatusOr<std::vector<ValueInfo>> {
    std::vector<const ValueInfo*> pointers;
    for (const ValueInfo& info : infos) pointers.push_back(info.type == DataType::kUndefined ? nullptr : &info);
    InferContext context(node_, pointers, num_outputs_);
    if (absl::Status status = op->infer(context); !status.ok()) return status;
    return std::move(context.outputs());
  };
  auto outputs = infer();
  if (!outputs.ok()) return outputs.status();
  bool complete = true;
  for (const ValueInfo& output : *outputs) {
    EXPECT_NE(output.type, DataType::kUndefined) << node_.op << " inferred no type";
    complete = complete && output.shape.has_value();
  }
  if (!complete && !known_contents) {  // at run time the contents are known
    for (size_t i = 0; i < infos.size(); ++i) infos[i].value = inputs_[i];
    outputs = infer();
    if (!outputs.ok()) return outputs.status();
  }

  std::vector<Tensor> tensors(num_outputs_);
  for (int i = 0; i < num_outputs_; ++i) {
    if ((*outputs)[i].shape.has_value()) tensors[i] = Tensor((*outputs)[i].type, *(*outputs)[i].shape);
  }
  std::vector<const Tensor*> inputs;
  for (const Tensor& input : inputs_) inputs.push_back(input.defined() ? &input : nullptr);
  KernelContext context(node_, inputs, std::move(tensors));
  if (absl::Status status = op->kernel(context); !status.ok()) return status;
  for (int i = 0; i < num_outputs_; ++i) {
    EXPECT_EQ(context.output(i).type(), (*outputs)[i].type) << node_.op << " made another type than it inferred";
  }
  return std::move(context.outputs());
}

Tensor OpTester::RunTensor(int index) {
  auto outputs = Execute();
  if (!outputs.ok()) {
    ADD_FAILURE() << outputs.status();
    return {};
  }
  return (*outputs)[index];
}

}  // namespace tandem::engine
