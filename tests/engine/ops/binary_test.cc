#include <cmath>
#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename T>
std::vector<T> Apply(const std::string& name, std::vector<T> a, std::vector<T> b) {
  const Shape shape{static_cast<int64_t>(a.size())};
  OpTester op(name);
  op.Input<T>(shape, std::move(a)).template Input<T>(shape, std::move(b));
  return op.Run<T>();
}

TEST(Broadcast, StretchesRowsColumnsAndScalars) {
  const std::vector<float> matrix = {1, 2, 3, 4, 5, 6};
  OpTester row("Add");
  row.Input<float>({2, 3}, matrix).Input<float>({3}, {10, 20, 30});
  EXPECT_THAT(row.Run<float>(), ElementsAre(11, 22, 33, 14, 25, 36));
  OpTester column("Add");
  column.Input<float>({2, 1}, {10, 20}).Input<float>({2, 3}, matrix);
  EXPECT_THAT(column.Run<float>(), ElementsAre(11, 12, 13, 24, 25, 26));
  OpTester scalar("Sub");
  scalar.Input<float>({}, {10}).Input<float>({2, 3}, matrix);
  EXPECT_THAT(scalar.Run<float>(), ElementsAre(9, 8, 7, 6, 5, 4));
  EXPECT_EQ(scalar.RunShape(), Shape({2, 3}));
}

TEST(Broadcast, StretchesBothInputs) {
  OpTester op("Mul");
  op.Input<float>({2, 1, 2}, {1, 2, 3, 4}).Input<float>({3, 1}, {1, 10, 100});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 10, 20, 100, 200, 3, 4, 30, 40, 300, 400));
  EXPECT_EQ(op.RunShape(), Shape({2, 3, 2}));
}

TEST(Broadcast, StretchesMiddleDimensions) {
  OpTester op("Add");
  op.Input<float>({2, 2, 2}, {0, 0, 0, 0, 0, 0, 0, 0}).Input<float>({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 1, 2, 3, 4, 3, 4));
}

TEST(Broadcast, KeepsScalarsAndEmptyTensors) {
  OpTester scalar("Add");
  scalar.Input<float>({}, {1}).Input<float>({}, {2});
  EXPECT_THAT(scalar.Run<float>(), ElementsAre(3));
  EXPECT_EQ(scalar.RunShape(), Shape());
  OpTester empty("Add");
  empty.Input<float>({0, 3}, {}).Input<float>({1}, {2});
  EXPECT_THAT(empty.Run<float>(), IsEmpty());
  EXPECT_EQ(empty.RunShape(), Shape({0, 3}));
}

TEST(Broadcast, RefusesShapesThatDoNotFit) {
  OpTester op("Add");
  op.Input<float>({2}, {1, 2}).Input<float>({3}, {1, 2, 3});
  EXPECT_THAT(op.Error().message(), HasSubstr("[2] and [3]"));
}

TEST(Broadcast, RefusesOutputsTooLargeToHold) {
  const int64_t large = int64_t{1} << 17;
  OpTester op("Add");
  op.Input(Tensor(DataType::kInt8, {large, 1})).Input(Tensor(DataType::kInt8, {1, large}));
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Add, WrapsIntegers) {
  EXPECT_THAT(Apply<int8_t>("Add", {127, 1}, {1, 1}), ElementsAre(-128, 2));
  EXPECT_THAT(Apply<int32_t>("Add", {std::numeric_limits<int32_t>::max()}, {1}),
              ElementsAre(std::numeric_limits<int32_t>::min()));
}

TEST(Add, RefusesDifferentTypes) {
  OpTester op("Add");
  op.Input<float>({1}, {1}).Input<int32_t>({1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("float32 and int32"));
}

TEST(Sub, WrapsUnsigned) { EXPECT_THAT(Apply<uint8_t>("Sub", {1}, {2}), ElementsAre(255)); }

TEST(Mul, WrapsSixteenBits) { EXPECT_THAT(Apply<uint16_t>("Mul", {65535}, {65535}), ElementsAre(1)); }

TEST(Div, CutsTowardsZero) { EXPECT_THAT(Apply<int32_t>("Div", {7, -7}, {2, 2}), ElementsAre(3, -3)); }

TEST(Div, DefinesIntegerDivisionByZeroAndOverflow) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  EXPECT_THAT(Apply<int32_t>("Div", {5, kMin}, {0, -1}), ElementsAre(0, kMin));
  EXPECT_THAT(Apply<float>("Div", {1}, {0}), ElementsAre(std::numeric_limits<float>::infinity()));
}

TEST(Mod, TakesTheSignOfTheDivisor) {
  EXPECT_THAT(Apply<int32_t>("Mod", {7, -7, 7, -7}, {3, 3, -3, -3}), ElementsAre(1, 2, -2, -1));
  EXPECT_THAT(Apply<float>("Mod", {5.5f, -5.5f}, {2, 2}), ElementsAre(1.5f, 0.5f));
}

TEST(Mod, TakesTheSignOfTheDividendWithFmod) {
  OpTester op("Mod");
  op.attributes.Set("fmod", int64_t{1});
  op.Input<float>({2}, {7.5f, -7.5f}).Input<float>({}, {2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1.5f, -1.5f));
}

TEST(Mod, DefinesIntegerRemaindersByZeroAndMinusOne) {
  EXPECT_THAT(Apply<int64_t>("Mod", {5, std::numeric_limits<int64_t>::min()}, {0, -1}), ElementsAre(0, 0));
}

TEST(Pow, MixesTypesAndKeepsThatOfTheBase) {
  OpTester integers("Pow");
  integers.Input<int32_t>({3}, {2, -3, 2}).Input<int64_t>({3}, {10, 3, -1});
  EXPECT_THAT(integers.Run<int32_t>(), ElementsAre(1024, -27, 0));
  OpTester real("Pow");
  real.Input<float>({2}, {2, 9}).Input<int32_t>({}, {3});
  EXPECT_THAT(real.Run<float>(), ElementsAre(8, 729));
  OpTester cut("Pow");
  cut.Input<int64_t>({1}, {2}).Input<float>({}, {0.5f});
  EXPECT_THAT(cut.Run<int64_t>(), ElementsAre(1));
}

TEST(Pow, SquaresAndTakesRoots) {
  OpTester square("Pow");
  square.Input<float>({2}, {-3, 2}).Input<float>({1}, {2});
  EXPECT_THAT(square.Run<float>(), ElementsAre(9, 4));
  OpTester root("Pow");
  root.Input<float>({2}, {9, 2}).Input<float>({}, {0.5f});
  EXPECT_THAT(root.Run<float>(), ElementsAre(3, FloatNear(1.4142135f, 1e-6f)));
}

TEST(Pow, BroadcastsBothWays) {
  OpTester op("Pow");
  op.Input<float>({1}, {2}).Input<float>({2, 2}, {0, 1, 2, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 4, 8));
}

TEST(BitShift, ShiftsEitherWayAndEmptiesWhenTooFar) {
  OpTester left("BitShift");
  left.attributes.Set("direction", std::string("LEFT"));
  left.Input<uint8_t>({3}, {1, 255, 1}).Input<uint8_t>({3}, {3, 4, 200});
  EXPECT_THAT(left.Run<uint8_t>(), ElementsAre(8, 240, 0));
  OpTester right("BitShift");
  right.attributes.Set("direction", std::string("RIGHT"));
  right.Input<uint64_t>({2}, {8, 8}).Input<uint64_t>({2}, {1, 64});
  EXPECT_THAT(right.Run<uint64_t>(), ElementsAre(4, 0));
}

TEST(BitShift, RefusesAnotherDirection) {
  OpTester op("BitShift");
  op.Input<uint8_t>({1}, {1}).Input<uint8_t>({1}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Bitwise, CombinesBits) {
  EXPECT_THAT(Apply<int32_t>("BitwiseAnd", {12}, {10}), ElementsAre(8));
  EXPECT_THAT(Apply<int32_t>("BitwiseOr", {12}, {10}), ElementsAre(14));
  EXPECT_THAT(Apply<uint8_t>("BitwiseXor", {12}, {10}), ElementsAre(6));
}

}  // namespace
}  // namespace tandem::engine
