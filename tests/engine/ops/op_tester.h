// Runs one operator the way the engine does: shape inference, allocation, reference kernel.
#ifndef TANDEM_TESTS_ENGINE_OPS_OP_TESTER_H_
#define TANDEM_TESTS_ENGINE_OPS_OP_TESTER_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/ops/op.h"

namespace tandem::engine {

//   OpTester op("Concat");
//   op.attributes.Set("axis", int64_t{1});
//   op.Input<float>({1, 2}, {1, 2}).Input<float>({1, 1}, {3});
//   EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 3));
class OpTester {
 public:
  explicit OpTester(std::string op) { node_.op = std::move(op); }

  Attributes attributes;
  // Whether inference sees the contents of the inputs, as it does for constants. Kernels must work either way.
  bool known_contents = true;

  template <typename T>
  OpTester& Input(Shape shape, std::vector<T> values) {
    Tensor tensor(DataTypeOf<T>(), std::move(shape));
    TANDEM_CHECK(tensor.num_elements() == static_cast<int64_t>(values.size()), "OpTester::Input");
    for (size_t i = 0; i < values.size(); ++i) tensor.mutable_values<T>()[i] = values[i];
    return Input(std::move(tensor));
  }
  OpTester& Input(Tensor tensor);
  OpTester& AbsentInput();
  OpTester& Outputs(int count) {
    num_outputs_ = count;
    return *this;
  }

  // All outputs, or the error of inference or of the kernel.
  absl::StatusOr<std::vector<Tensor>> Execute();
  absl::Status Error() { return Execute().status(); }

  // The elements of output `index`; fails the test on an error.
  template <typename T>
  std::vector<T> Run(int index = 0) {
    const Tensor tensor = RunTensor(index);
    if (!tensor.defined()) return {};
    EXPECT_EQ(tensor.type(), DataTypeOf<T>());
    const auto values = tensor.values<T>();
    return std::vector<T>(values.begin(), values.end());  // braces would make a list of two bools
  }
  Tensor RunTensor(int index = 0);
  Shape RunShape(int index = 0) { return RunTensor(index).shape(); }

 private:
  Node node_;
  std::vector<Tensor> inputs_;  // undefined for absent ones
  int num_outputs_ = 1;
};

}  // namespace tandem::engine

#endif  // TANDEM_TESTS_ENGINE_OPS_OP_TESTER_H_
