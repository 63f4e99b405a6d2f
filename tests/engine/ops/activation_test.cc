#include <cmath>
#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

// Float functions in a few operations: some units in the last place.
constexpr float kTolerance = 2e-6f;

auto Near(float expected) { return FloatNear(expected, kTolerance); }

// The results for -2, -0.5, 0 and 3 with attributes set by name.
std::vector<float> Apply(const std::string& name, std::vector<std::pair<std::string, float>> attributes = {}) {
  OpTester op(name);
  for (const auto& [attribute, value] : attributes) op.attributes.Set(attribute, value);
  op.Input<float>({4}, {-2, -0.5f, 0, 3});
  return op.Run<float>();
}

TEST(Relu, KeepsThePositive) {
  EXPECT_THAT(Apply("Relu"), ElementsAre(0, 0, 0, 3));
  OpTester op("Relu");
  op.Input<int8_t>({2}, {-3, 3});
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(0, 3));
}

TEST(Relu, RefusesBool) {
  OpTester op("Relu");
  op.Input<bool>({1}, {true});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

TEST(LeakyRelu, ScalesTheNegative) {
  EXPECT_THAT(Apply("LeakyRelu"), ElementsAre(Near(-0.02f), Near(-0.005f), 0, 3));
  EXPECT_THAT(Apply("LeakyRelu", {{"alpha", 0.5f}}), ElementsAre(-1, -0.25f, 0, 3));
}

TEST(Elu, BendsTheNegative) {
  EXPECT_THAT(Apply("Elu", {{"alpha", 2}}), ElementsAre(Near(-1.7293294f), Near(-0.7869387f), 0, 3));
}

TEST(Selu, ScalesBothSides) {
  EXPECT_THAT(Apply("Selu"), ElementsAre(Near(-1.5201665f), Near(-0.6917580f), 0, Near(3.1521030f)));
}

TEST(Celu, DividesByAlphaInside) {
  EXPECT_THAT(Apply("Celu", {{"alpha", 2}}), ElementsAre(Near(-1.2642411f), Near(-0.4423984f), 0, 3));
}

TEST(ThresholdedRelu, KeepsWhatIsAboveAlpha) {
  EXPECT_THAT(Apply("ThresholdedRelu", {{"alpha", 3}}), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Apply("ThresholdedRelu", {{"alpha", -1}}), ElementsAre(0, -0.5f, 0, 3));
}

TEST(HardSigmoid, IsALineBetweenZeroAndOne) {
  EXPECT_THAT(Apply("HardSigmoid"), ElementsAre(Near(0.1f), Near(0.4f), 0.5f, 1));
  EXPECT_THAT(Apply("HardSigmoid", {{"alpha", 1}, {"beta", 0}}), ElementsAre(0, 0, 0, 1));
}

TEST(HardSwish, GatesByAHardSigmoid) {
  EXPECT_THAT(Apply("HardSwish"), ElementsAre(Near(-0.3333333f), Near(-0.2083333f), 0, 3));
}

TEST(Sigmoid, HoldsAtTheExtremes) {
  EXPECT_THAT(Apply("Sigmoid"), ElementsAre(Near(0.1192029f), Near(0.3775407f), 0.5f, Near(0.9525741f)));
  OpTester op("Sigmoid");
  op.Input<float>({2}, {-500, 500});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 1));
}

TEST(Softplus, DoesNotOverflow) {
  EXPECT_THAT(Apply("Softplus"), ElementsAre(Near(0.1269280f), Near(0.4740770f), Near(0.6931472f), Near(3.0485874f)));
  OpTester op("Softplus");
  op.Input<float>({2}, {-500, 500});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 500));
}

TEST(Softsign, DividesByOnePlusTheMagnitude) {
  EXPECT_THAT(Apply("Softsign"), ElementsAre(Near(-0.6666667f), Near(-0.3333333f), 0, 0.75f));
}

TEST(Mish, IsXTimesTanhOfSoftplus) {
  EXPECT_THAT(Apply("Mish"), ElementsAre(Near(-0.2525015f), Near(-0.2207438f), 0, Near(2.9865350f)));
}

TEST(Swish, GatesBySigmoidOfAlphaX) {
  EXPECT_THAT(Apply("Swish"), ElementsAre(Near(-0.2384058f), Near(-0.1887703f), 0, Near(2.8577224f)));
  EXPECT_THAT(Apply("Swish", {{"alpha", 0}}), ElementsAre(-1, -0.25f, 0, 1.5f));
}

TEST(Gelu, HasAnExactAndATanhForm) {
  EXPECT_THAT(Apply("Gelu"), ElementsAre(Near(-0.0455003f), Near(-0.1542688f), 0, Near(2.9959502f)));
  OpTester op("Gelu");
  op.attributes.Set("approximate", std::string("tanh"));
  op.Input<float>({2}, {-2, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near(-0.0454023f), Near(2.9963627f)));
}

TEST(Gelu, RefusesAnotherApproximation) {
  OpTester op("Gelu");
  op.attributes.Set("approximate", std::string("sigmoid"));
  op.Input<float>({1}, {1});
  EXPECT_THAT(op.Error().message(), HasSubstr("sigmoid"));
}

TEST(Shrink, TakesBiasFromWhatIsOutsideLambda) {
  EXPECT_THAT(Apply("Shrink", {{"lambd", 1}, {"bias", 0.5f}}), ElementsAre(-1.5f, 0, 0, 2.5f));
  OpTester op("Shrink");
  op.attributes.Set("lambd", 1.0f);
  op.attributes.Set("bias", 1.0f);
  op.Input<uint8_t>({3}, {0, 1, 9});
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(0, 0, 8));
}

TEST(Clip, BoundsAreOptional) {
  OpTester both("Clip");
  both.Input<float>({3}, {-2, 0, 2}).Input<float>({}, {-1}).Input<float>({}, {1});
  EXPECT_THAT(both.Run<float>(), ElementsAre(-1, 0, 1));
  OpTester high("Clip");
  high.Input<int8_t>({2}, {-128, 100}).AbsentInput().Input<int8_t>({}, {5});
  EXPECT_THAT(high.Run<int8_t>(), ElementsAre(-128, 5));
  OpTester none("Clip");
  none.Input<float>({2}, {-std::numeric_limits<float>::infinity(), 2});
  EXPECT_THAT(none.Run<float>(), ElementsAre(-std::numeric_limits<float>::infinity(), 2));
}

TEST(Clip, GivesTheMaximumWhenTheMinimumIsAboveIt) {
  OpTester op("Clip");
  op.Input<float>({2}, {-2, 9}).Input<float>({}, {5}).Input<float>({}, {1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 1));
}

TEST(Clip, RefusesBoundsOfAnotherTypeOrShape) {
  OpTester type("Clip");
  type.Input<float>({1}, {1}).Input<double>({}, {0});
  EXPECT_THAT(type.Error().message(), HasSubstr("min is float64"));
  OpTester shape("Clip");
  shape.Input<float>({1}, {1}).AbsentInput().Input<float>({2}, {0, 1});
  EXPECT_THAT(shape.Error().message(), HasSubstr("max must be a scalar"));
}

TEST(PRelu, BroadcastsTheSlope) {
  OpTester op("PRelu");
  op.Input<float>({2, 2}, {-1, -2, 3, -4}).Input<float>({2, 1}, {0.5f, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(-0.5f, -1, 3, -8));
}

TEST(PRelu, RefusesASlopeLargerThanTheInput) {
  OpTester op("PRelu");
  op.Input<float>({1}, {-1}).Input<float>({2}, {1, 2});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem::engine
