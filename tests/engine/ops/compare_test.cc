#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::vector<bool> Compare(const std::string& name, std::vector<T> a, std::vector<T> b) {
  const Shape shape{static_cast<int64_t>(a.size())};
  OpTester op(name);
  op.Input<T>(shape, std::move(a)).template Input<T>(shape, std::move(b));
  return op.Run<bool>();
}

TEST(Compare, OrdersNumbers) {
  const std::vector<float> a = {1, 2, 3};
  const std::vector<float> b = {2, 2, 2};
  EXPECT_THAT(Compare("Less", a, b), ElementsAre(true, false, false));
  EXPECT_THAT(Compare("LessOrEqual", a, b), ElementsAre(true, true, false));
  EXPECT_THAT(Compare("Greater", a, b), ElementsAre(false, false, true));
  EXPECT_THAT(Compare("GreaterOrEqual", a, b), ElementsAre(false, true, true));
  EXPECT_THAT(Compare("Equal", a, b), ElementsAre(false, true, false));
}

TEST(Compare, FindsNanUnequalToItself) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Compare<float>("Equal", {nan}, {nan}), ElementsAre(false));
  EXPECT_THAT(Compare<float>("LessOrEqual", {nan}, {nan}), ElementsAre(false));
}

TEST(Compare, TakesWholeRangesOfIntegers) {
  constexpr uint64_t kLarge = std::numeric_limits<uint64_t>::max();
  EXPECT_THAT(Compare<uint64_t>("Greater", {kLarge}, {1}), ElementsAre(true));
}

TEST(Compare, BroadcastsOneRow) {
  OpTester op("Less");
  op.Input<int32_t>({2, 2}, {1, 5, 3, 7}).Input<int32_t>({}, {4});
  EXPECT_THAT(op.Run<bool>(), ElementsAre(true, false, true, false));
}

TEST(Equal, ComparesBool) {
  EXPECT_THAT(Compare<bool>("Equal", {true, false, false}, {true, true, false}), ElementsAre(true, false, true));
}

TEST(Logic, CombinesBool) {
  const std::vector<bool> a = {false, false, true, true};
  const std::vector<bool> b = {false, true, false, true};
  EXPECT_THAT(Compare("And", a, b), ElementsAre(false, false, false, true));
  EXPECT_THAT(Compare("Or", a, b), ElementsAre(false, true, true, true));
  EXPECT_THAT(Compare("Xor", a, b), ElementsAre(false, true, true, false));
}

TEST(Logic, RefusesNumbers) {
  OpTester op("And");
  op.Input<float>({1}, {1}).Input<float>({1}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

TEST(Where, ChoosesByElement) {
  OpTester op("Where");
  op.Input<bool>({3}, {true, false, true}).Input<int64_t>({3}, {1, 2, 3}).Input<int64_t>({3}, {10, 20, 30});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(1, 20, 3));
}

TEST(Where, BroadcastsAllThree) {
  OpTester op("Where");
  op.Input<bool>({2, 1}, {true, false}).Input<float>({1, 3}, {1, 2, 3}).Input<float>({}, {-1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 3, -1, -1, -1));
  EXPECT_EQ(op.RunShape(), Shape({2, 3}));
}

TEST(Where, RefusesANumericCondition) {
  OpTester op("Where");
  op.Input<float>({1}, {1}).Input<float>({1}, {1}).Input<float>({1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("condition is float32"));
}

}  // namespace
}  // namespace tandem::engine
