#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

OpTester Linear(const char* rule, int64_t q_heads = 1) {
  OpTester op("LinearAttention");
  op.attributes.Set("update_rule", std::string(rule));
  op.attributes.Set("q_num_heads", q_heads);
  op.attributes.Set("kv_num_heads", int64_t{1});
  op.attributes.Set("scale", 1.0f);
  return op.Outputs(2);
}

TEST(LinearAttention, AccumulatesKeysTimesValues) {
  OpTester op = Linear("linear");
  op.Input<float>({1, 2, 1}, {1, 10}).Input<float>({1, 2, 1}, {2, 3}).Input<float>({1, 2, 1}, {5, 7});
  op.Input<float>({1, 1, 1, 1}, {100});
  EXPECT_THAT(op.Run<float>(0), ElementsAre(110, 1310));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(131));
}

TEST(LinearAttention, DecaysAndCorrects) {
  OpTester op = Linear("gated_delta", 2);
  op.Input<float>({1, 1, 2}, {1, 2}).Input<float>({1, 1, 1}, {2}).Input<float>({1, 1, 1}, {5});
  op.Input<float>({1, 1, 1, 1}, {4}).Input<float>({1, 1, 1}, {std::log(0.5f)}).Input<float>({1, 1, 1}, {3});
  EXPECT_THAT(op.Run<float>(1), ElementsAre(2 + 2 * 3 * (5 - 2 * 2)));
  EXPECT_THAT(op.Run<float>(0), ElementsAre(8, 16));
}

TEST(LinearAttention, RefusesGatesThatDoNotBelong) {
  OpTester missing = Linear("gated");
  missing.Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {2}).Input<float>({1, 1, 1}, {5});
  EXPECT_EQ(missing.Error().code(), absl::StatusCode::kInvalidArgument);
  OpTester unknown = Linear("cubic");
  unknown.Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {2}).Input<float>({1, 1, 1}, {5});
  EXPECT_EQ(unknown.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CausalConvWithState, CarriesTheLastElementsOn) {
  OpTester op("CausalConvWithState");
  op.Outputs(2).Input<float>({1, 1, 2}, {1, 2}).Input<float>({1, 1, 3}, {100, 10, 1}).Input<float>({1}, {1000});
  op.Input<float>({1, 1, 2}, {8, 9});
  EXPECT_THAT(op.Run<float>(0), ElementsAre(1891, 1912));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(1, 2));
}

TEST(CausalConvWithState, KeepsOldStateWhenTheInputIsShort) {
  OpTester op("CausalConvWithState");
  op.Outputs(2).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 4}, {0, 0, 0, 1}).AbsentInput();
  op.Input<float>({1, 1, 3}, {7, 8, 9});
  EXPECT_THAT(op.Run<float>(1), ElementsAre(8, 9, 1));
}

TEST(SwiGlu, GatesItsSecondInput) {
  OpTester op("SwiGLU");
  op.attributes.Set("alpha", 2.0f);
  op.Input<double>({1}, {3}).Input<double>({1}, {5});
  EXPECT_THAT(op.Run<double>(), ElementsAre(testing::DoubleNear(15 / (1 + std::exp(-6)), 1e-12)));
}

}  // namespace
}  // namespace tandem::engine
