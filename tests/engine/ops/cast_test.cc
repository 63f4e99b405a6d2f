#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
// Numbers of TensorProto.DataType.
constexpr int64_t kFloat = 1;
constexpr int64_t kUInt8 = 2;
constexpr int64_t kInt8 = 3;
constexpr int64_t kInt32 = 6;
constexpr int64_t kInt64 = 7;
constexpr int64_t kString = 8;
constexpr int64_t kBool = 9;
constexpr int64_t kHalf = 10;
constexpr int64_t kUInt64 = 13;
constexpr int64_t kBFloat = 16;

template <typename From>
Tensor CastTo(int64_t to, std::vector<From> values) {
  OpTester op("Cast");
  op.attributes.Set("to", to);
  const Shape shape{static_cast<int64_t>(values.size())};
  op.Input<From>(shape, std::move(values));
  return op.RunTensor();
}

TEST(Cast, CutsFloatsTowardsZero) {
  EXPECT_THAT(CastTo<float>(kInt32, {1.9f, -1.9f}).values<int32_t>(), ElementsAre(1, -1));
}

TEST(Cast, DefinesWhatIntegersCannotHold) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  EXPECT_THAT(CastTo<float>(kInt32, {kNan, kInfinity, -kInfinity, 3e9f}).values<int32_t>(),
              ElementsAre(kMin, kMin, kMin, kMin));
  EXPECT_THAT(CastTo<double>(kInt64, {1e300}).values<int64_t>(), ElementsAre(std::numeric_limits<int64_t>::min()));
  EXPECT_THAT(CastTo<float>(kUInt8, {300, -1, kNan}).values<uint8_t>(), ElementsAre(44, 255, 0));
  EXPECT_THAT(CastTo<double>(kUInt64, {0x1p63}).values<uint64_t>(), ElementsAre(uint64_t{1} << 63));
}

TEST(Cast, WrapsIntegers) { EXPECT_THAT(CastTo<int32_t>(kInt8, {130, -130}).values<int8_t>(), ElementsAre(-126, 126)); }

TEST(Cast, MakesBoolOfWhatIsNotZero) {
  EXPECT_THAT(CastTo<float>(kBool, {0, -0.0f, 0.1f, kNan}).values<bool>(), ElementsAre(false, false, true, true));
  EXPECT_THAT(CastTo<bool>(kFloat, {true, false}).values<float>(), ElementsAre(1, 0));
}

TEST(Cast, GoesThroughSixteenBitFloatsAndBack) {
  for (int64_t type : {kHalf, kBFloat}) {
    const Tensor narrow = CastTo<float>(type, {1.5f, -2, kInfinity});
    EXPECT_EQ(SizeOf(narrow.type()), 2u);
    OpTester back("Cast");
    back.attributes.Set("to", kFloat);
    back.Input(narrow);
    EXPECT_THAT(back.Run<float>(), ElementsAre(1.5f, -2, kInfinity));
  }
}

TEST(Cast, RefusesTypesThatTensorsCannotHold) {
  for (int64_t type : {kString, int64_t{0}, int64_t{17}, int64_t{-1}, int64_t{1} << 40}) {
    OpTester op("Cast");
    op.attributes.Set("to", type);
    op.Input<float>({1}, {1});
    EXPECT_FALSE(op.Error().ok()) << type;
  }
}

TEST(CastLike, TakesTheTypeOfTheSecondInput) {
  OpTester op("CastLike");
  op.Input<float>({2}, {1.5f, 2}).Input<int64_t>({1}, {0});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(1, 2));
}

TEST(BitCast, KeepsTheBits) {
  OpTester op("BitCast");
  op.attributes.Set("to", kInt32);
  op.Input<float>({1}, {1});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(0x3f800000));
}

TEST(BitCast, MakesBoolsThatMayBeRead) {
  OpTester op("BitCast");
  op.attributes.Set("to", kBool);
  op.Input<uint8_t>({3}, {0, 1, 77});
  EXPECT_THAT(op.Run<bool>(), ElementsAre(false, true, true));
}

TEST(BitCast, RefusesAnotherSize) {
  OpTester op("BitCast");
  op.attributes.Set("to", kInt64);
  op.Input<float>({1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("sizes differ"));
}

}  // namespace
}  // namespace tandem::engine
