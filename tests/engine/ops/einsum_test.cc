#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

OpTester Einsum(const char* equation) {
  OpTester op("Einsum");
  op.attributes.Set("equation", std::string(equation));
  return op;
}

TEST(Einsum, Transposes) {
  OpTester op = Einsum("ij->ji");
  op.Input<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Einsum, SumsWhatTheResultLeavesOut) {
  OpTester op = Einsum("ij->i");
  op.Input<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(6, 15));
}

TEST(Einsum, TakesDiagonals) {
  OpTester op = Einsum("...ii ->...i");
  op.Input<double>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THAT(op.Run<double>(), ElementsAre(1, 4, 5, 8));
}

TEST(Einsum, FindsTheImplicitResult) {
  OpTester op = Einsum("bi,ia");  // -> "ab"
  op.Input<float>({1, 2}, {1, 10}).Input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(op.Run<float>(), ElementsAre(31, 42));
  EXPECT_EQ(op.RunShape(), (Shape{2, 1}));
}

TEST(Einsum, ContractsManyOperands) {
  OpTester op = Einsum("i,ij,j->");
  op.Input<float>({2}, {1, 2}).Input<float>({2, 2}, {1, 2, 3, 4}).Input<float>({2}, {10, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(12 + 68));
  EXPECT_EQ(op.RunShape(), Shape{});
}

TEST(Einsum, BroadcastsEllipses) {
  OpTester op = Einsum("...ij,...jk->...ik");
  op.Input<float>({2, 1, 2}, {1, 2, 3, 4}).Input<float>({1, 2, 1}, {1, 10});
  EXPECT_THAT(op.Run<float>(), ElementsAre(21, 43));
  EXPECT_EQ(op.RunShape(), (Shape{2, 1, 1}));
}

TEST(Einsum, AcceptsScalarsAndEmptyTensors) {
  OpTester scalar = Einsum("->");
  scalar.Input<float>({}, {7});
  EXPECT_THAT(scalar.Run<float>(), ElementsAre(7));
  OpTester empty = Einsum("ij,jk->ik");
  empty.Input<float>({1, 0}, {}).Input<float>({0, 1}, {});
  EXPECT_THAT(empty.Run<float>(), ElementsAre(0));
}

TEST(Einsum, RefusesWhatDoesNotFit) {
  const auto code = [](const char* equation, Shape shape = {2, 3}) {
    OpTester op = Einsum(equation);
    op.Input(Tensor(DataType::kFloat32, std::move(shape)));
    return op.Error().code();
  };
  for (const char* equation : {"", "i", "ijk", "ij,jk", "ij->k", "ij->ii", "i.j", "i1", "ij->i->j", "......", "ii"}) {
    EXPECT_EQ(code(equation), absl::StatusCode::kInvalidArgument) << equation;
  }
  EXPECT_EQ(code("i...jk"), absl::StatusCode::kInvalidArgument);
}

TEST(Einsum, RefusesAHugeIntermediate) {
  OpTester op = Einsum("a,b,c,ac,b->");
  op.Input(Tensor(DataType::kFloat32, {4096})).Input(Tensor(DataType::kFloat32, {4096}));
  op.Input(Tensor(DataType::kFloat32, {4096})).Input(Tensor(DataType::kFloat32, {4096, 4096}));
  op.Input(Tensor(DataType::kFloat32, {4096}));
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem::engine
