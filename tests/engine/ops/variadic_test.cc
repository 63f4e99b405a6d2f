#include <cmath>
#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(Variadic, FoldsAnyNumberOfInputs) {
  for (const auto& [name, expected] : std::vector<std::pair<std::string, std::vector<float>>>{
           {"Max", {3, 5}}, {"Min", {1, 0}}, {"Sum", {6, 7}}, {"Mean", {2, 7.0f / 3}}}) {
    OpTester op(name);
    op.Input<float>({2}, {1, 5}).Input<float>({2}, {2, 2}).Input<float>({2}, {3, 0});
    EXPECT_EQ(op.Run<float>(), expected) << name;
  }
}

TEST(Variadic, CopiesASingleInput) {
  for (const char* name : {"Max", "Min", "Sum", "Mean"}) {
    OpTester op(name);
    op.Input<float>({2}, {1, 5});
    EXPECT_THAT(op.Run<float>(), ElementsAre(1, 5)) << name;
  }
}

TEST(Variadic, BroadcastsInputsThatComeLater) {
  OpTester op("Sum");
  op.Input<float>({}, {1}).Input<float>({2, 1}, {10, 20}).Input<float>({2}, {100, 200});
  EXPECT_THAT(op.Run<float>(), ElementsAre(111, 211, 121, 221));
}

TEST(Variadic, LetsNanWinOnEitherSide) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* name : {"Max", "Min"}) {
    OpTester op(name);
    op.Input<float>({2}, {nan, 1}).Input<float>({2}, {1, nan});
    for (float y : op.Run<float>()) EXPECT_TRUE(std::isnan(y)) << name;
  }
}

TEST(Variadic, TakesIntegersForExtremesOnly) {
  OpTester max("Max");
  max.Input<uint8_t>({1}, {200}).Input<uint8_t>({1}, {100});
  EXPECT_THAT(max.Run<uint8_t>(), ElementsAre(200));
  OpTester sum("Sum");
  sum.Input<int32_t>({1}, {1});
  EXPECT_EQ(sum.Error().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace tandem::engine
