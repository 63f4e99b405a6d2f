#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr float kNear = 1e-6f;

// One head of size 1: two queries over three keys with equal scores, so that outputs are means of admitted values.
OpTester Means() {
  OpTester op("Attention");
  op.Input<float>({1, 1, 2, 1}, {0, 0}).Input<float>({1, 1, 3, 1}, {1, 2, 3}).Input<float>({1, 1, 3, 1}, {3, 6, 12});
  return op;
}

TEST(Attention, WeighsValuesByTheSoftmaxOfScores) {
  OpTester op("Attention");
  op.attributes.Set("scale", 2.0f);
  op.Input<double>({1, 1, 1, 1}, {1}).Input<double>({1, 1, 2, 1}, {0, 0.5}).Input<double>({1, 1, 2, 1}, {0, 1});
  EXPECT_THAT(op.Run<double>(), ElementsAre(testing::DoubleNear(1 / (1 + std::exp(-1)), 1e-12)));
}

TEST(Attention, AdmitsByCausalityMaskAndWindow) {
  OpTester plain = Means();
  EXPECT_THAT(plain.Run<float>(), Pointwise(FloatNear(kNear), {7, 7}));
  OpTester causal = Means();
  causal.attributes.Set("is_causal", int64_t{1});
  EXPECT_THAT(causal.Run<float>(), Pointwise(FloatNear(kNear), {3.0f, 4.5f}));
  OpTester masked = Means();
  masked.Input<bool>({2, 3}, {false, true, true, false, false, false});
  EXPECT_THAT(masked.Run<float>(), Pointwise(FloatNear(kNear), {9, 0}));
  OpTester shorter = Means();
  shorter.Input<float>({1, 2}, {0, 0});
  EXPECT_THAT(shorter.Run<float>(), Pointwise(FloatNear(kNear), {4.5f, 4.5f}));
  OpTester window = Means();
  window.attributes.Set("left_window_size", int64_t{0});
  window.attributes.Set("right_window_size", int64_t{1});
  EXPECT_THAT(window.Run<float>(), Pointwise(FloatNear(kNear), {4.5f, 9.0f}));
}

TEST(Attention, PutsThePastBeforeTheKeys) {
  OpTester op("Attention");
  op.attributes.Set("is_causal", int64_t{1});
  op.Outputs(4).Input<float>({1, 1, 2, 1}, {0, 0}).Input<float>({1, 1, 2, 1}, {1, 2});
  op.Input<float>({1, 1, 2, 1}, {6, 12}).AbsentInput().Input<float>({1, 1, 1, 1}, {5}).Input<float>({1, 1, 1, 1}, {3});
  EXPECT_THAT(op.Run<float>(0), Pointwise(FloatNear(kNear), {4.5f, 7.0f}));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(5, 1, 2));
  EXPECT_THAT(op.Run<float>(2), ElementsAre(3, 6, 12));
  EXPECT_THAT(op.Run<float>(3), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(Attention, LeavesPaddedKeysOut) {
  OpTester op = Means();
  op.AbsentInput().AbsentInput().AbsentInput().Input<int64_t>({1}, {2});
  EXPECT_THAT(op.Run<float>(), Pointwise(FloatNear(kNear), {4.5f, 4.5f}));
  op.attributes.Set("is_causal", int64_t{1});
  EXPECT_THAT(op.Run<float>(), Pointwise(FloatNear(kNear), {3.0f, 4.5f}));
}

TEST(Attention, SharesKeysAmongGroupsOfPackedHeads) {
  OpTester op("Attention");
  op.attributes.Set("q_num_heads", int64_t{4});
  op.attributes.Set("kv_num_heads", int64_t{2});
  op.Input<float>({1, 1, 4}, {0, 0, 0, 0}).Input<float>({1, 1, 2}, {1, 1}).Input<float>({1, 1, 4}, {1, 2, 3, 4});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 1, 2, 3, 4, 3, 4));
  EXPECT_EQ(op.RunShape(), (Shape{1, 1, 8}));
}

TEST(Attention, CapsScoresAndShowsThem) {
  OpTester op("Attention");
  op.attributes.Set("softcap", 2.0f);
  op.Outputs(4).Input<float>({1, 1, 1, 1}, {3}).Input<float>({1, 1, 1, 1}, {2}).Input<float>({1, 1, 1, 1}, {1});
  EXPECT_THAT(op.Run<float>(3), ElementsAre(6));
  op.attributes.Set("qk_matmul_output_mode", int64_t{1});
  EXPECT_THAT(op.Run<float>(3), Pointwise(FloatNear(kNear), {2 * std::tanh(3.0f)}));
  op.attributes.Set("qk_matmul_output_mode", int64_t{3});
  EXPECT_THAT(op.Run<float>(3), ElementsAre(1));
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const auto code = [](Shape q, Shape k, Shape v, Shape mask) {
    OpTester op("Attention");
    for (Shape* shape : {&q, &k, &v, &mask}) op.Input(Tensor(DataType::kFloat32, *shape));
    return op.Error().code();
  };
  constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({1, 1, 2, 4}, {1, 1, 3, 5}, {1, 1, 3, 4}, {2, 3}), kRefused);
  EXPECT_EQ(code({1, 3, 2, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, {2, 3}), kRefused);
  EXPECT_EQ(code({1, 1, 2, 4}, {1, 1, 3, 4}, {1, 1, 3, 4}, {2, 4}), kRefused);
  EXPECT_EQ(code({1, 1, 2, 4}, {1, 1, 3, 4}, {1, 1, 3, 4}, {3, 3}), kRefused);
  EXPECT_EQ(code({1, 2, 4}, {1, 3, 4}, {1, 3, 4}, {2, 3}), kRefused);
  OpTester padded = Means();
  padded.AbsentInput().AbsentInput().AbsentInput().Input<int64_t>({1}, {4});
  EXPECT_EQ(padded.Error().code(), kRefused);
}

OpTester Rotary(std::vector<float> x) {
  OpTester op("RotaryEmbedding");
  op.Input<float>({1, 1, 1, 4}, std::move(x)).Input<float>({2, 2}, {9, 9, 0, 1}).Input<float>({2, 2}, {9, 9, 1, 0});
  return op;
}

TEST(RotaryEmbedding, TurnsPairsAtTheirPosition) {
  OpTester halves = Rotary({1, 2, 3, 4});
  halves.Input<int64_t>({1, 1}, {1});
  EXPECT_THAT(halves.Run<float>(), ElementsAre(-3, 2, 1, 4));
  OpTester pairs = Rotary({1, 2, 3, 4});
  pairs.attributes.Set("interleaved", int64_t{1});
  pairs.Input<int64_t>({1, 1}, {1});
  EXPECT_THAT(pairs.Run<float>(), ElementsAre(-2, 1, 3, 4));
}

TEST(RotaryEmbedding, RefusesPositionsBeyondTheCache) {
  for (const int64_t position : {-1, 2}) {
    OpTester op = Rotary({1, 2, 3, 4});
    op.Input<int64_t>({1, 1}, {position});
    EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(RotaryEmbedding, RefusesAnOddOrTooWideTurn) {
  for (const int64_t features : {int64_t{3}, int64_t{6}, int64_t{-2}}) {
    OpTester op = Rotary({1, 2, 3, 4});
    op.attributes.Set("rotary_embedding_dim", features);
    op.Input<int64_t>({1, 1}, {1});
    EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace tandem::engine
