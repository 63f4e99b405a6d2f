#include <cmath>

#include "engine/ops/vector_math.h"
#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Hidden size 1, one sequence, plain addition instead of tanh, so that results can be followed by hand.
OpTester Accumulator(const char* direction = "forward") {
  OpTester op("RNN");
  op.attributes.Set("direction", std::string(direction));
  const bool both = std::string(direction) == "bidirectional";
  op.attributes.Set("activations", std::vector<std::string>(both ? 2 : 1, "Affine"));
  return op;
}

TEST(Rnn, CarriesItsState) {
  OpTester op = Accumulator();
  op.Outputs(2).Input<float>({3, 1, 1}, {1, 2, 3}).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {10});
  EXPECT_THAT(op.Run<float>(0), ElementsAre(1, 12, 123));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(123));
}

TEST(Rnn, AddsBothBiasesAndTheInitialState) {
  OpTester op = Accumulator();
  op.Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {10});
  op.Input<float>({1, 2}, {100, 1000}).AbsentInput().Input<float>({1, 1, 1}, {2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1121));
}

TEST(Rnn, ReversesEachSequenceWithinItsLength) {
  OpTester op = Accumulator("reverse");
  op.Outputs(2).Input<float>({3, 2, 1}, {1, 4, 2, 5, 3, 6}).Input<float>({1, 1, 1}, {1});
  op.Input<float>({1, 1, 1}, {10}).AbsentInput().Input<int32_t>({2}, {3, 2});
  EXPECT_THAT(op.Run<float>(0), ElementsAre(321, 54, 32, 5, 3, 0));
  EXPECT_THAT(op.Run<float>(1), ElementsAre(321, 54));
}

TEST(Rnn, RunsBothWaysInEitherLayout) {
  for (const int64_t layout : {0, 1}) {
    OpTester op = Accumulator("bidirectional");
    op.attributes.Set("layout", layout);
    op.Outputs(2).Input<float>(layout == 0 ? Shape{2, 1, 1} : Shape{1, 2, 1}, {1, 2});
    op.Input<float>({2, 1, 1}, {1, 1}).Input<float>({2, 1, 1}, {10, 10});
    EXPECT_THAT(op.Run<float>(0), ElementsAre(1, 21, 12, 2));
    EXPECT_THAT(op.Run<float>(1), ElementsAre(12, 21));
    EXPECT_EQ(op.RunShape(0), layout == 0 ? (Shape{2, 2, 1, 1}) : (Shape{1, 2, 2, 1}));
  }
}

TEST(Rnn, ClipsBeforeTheActivation) {
  OpTester op = Accumulator();
  op.attributes.Set("clip", 5.0f);
  op.Input<float>({2, 1, 1}, {9, -20}).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(5, -5));
}

TEST(Rnn, RefusesWrongLengthsAndActivations) {
  OpTester lengths = Accumulator();
  lengths.Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1});
  lengths.AbsentInput().Input<int32_t>({1}, {2});
  EXPECT_EQ(lengths.Error().code(), absl::StatusCode::kInvalidArgument);
  OpTester unknown = Accumulator();
  unknown.attributes.Set("activations", std::vector<std::string>{"Sine"});
  unknown.Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1});
  EXPECT_EQ(unknown.Error().code(), absl::StatusCode::kInvalidArgument);
  OpTester shapes("LSTM");
  shapes.Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1}).Input<float>({1, 1, 1}, {1});
  EXPECT_EQ(shapes.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Lstm, FollowsItsEquationsWithPeepholes) {
  OpTester op("LSTM");
  op.Outputs(3).Input<double>({1, 1, 1}, {1}).Input<double>({1, 4, 1}, {1, 2, 3, 4});
  op.Input<double>({1, 4, 1}, {0.1, 0.2, 0.3, 0.4}).AbsentInput().AbsentInput().Input<double>({1, 1, 1}, {0.5});
  op.Input<double>({1, 1, 1}, {0.25}).Input<double>({1, 3}, {1, 2, 3});
  const double i = Sigmoid(1 + 0.05 + 0.25);
  const double f = Sigmoid(3 + 0.15 + 3 * 0.25);
  const double c = f * 0.25 + i * std::tanh(4 + 0.2);
  const double o = Sigmoid(2 + 0.1 + 2 * c);
  EXPECT_THAT(op.Run<double>(2), ElementsAre(testing::DoubleNear(c, 1e-12)));
  EXPECT_THAT(op.Run<double>(1), ElementsAre(testing::DoubleNear(o * std::tanh(c), 1e-12)));
}

TEST(Lstm, CouplesInputAndForgetGates) {
  OpTester op("LSTM");
  op.attributes.Set("input_forget", int64_t{1});
  op.Outputs(3).Input<double>({1, 1, 1}, {1}).Input<double>({1, 4, 1}, {1, 1, 5, 1});
  op.Input<double>({1, 4, 1}, {0, 0, 0, 0}).AbsentInput().AbsentInput().AbsentInput().Input<double>({1, 1, 1}, {2});
  const double i = Sigmoid(1);
  EXPECT_THAT(op.Run<double>(2), ElementsAre(testing::DoubleNear((1 - i) * 2 + i * std::tanh(1), 1e-12)));
}

TEST(Gru, ResetsBeforeOrAfterTheProduct) {
  const double h = 0.5;
  const double z = Sigmoid(1 + 0.1 * h + 1 + 4);
  const double r = Sigmoid(2 + 0.2 * h + 2 + 5);
  for (const int64_t after : {0, 1}) {
    OpTester op("GRU");
    op.attributes.Set("linear_before_reset", after);
    op.Input<double>({1, 1, 1}, {1}).Input<double>({1, 3, 1}, {1, 2, -3}).Input<double>({1, 3, 1}, {0.1, 0.2, 0.3});
    op.Input<double>({1, 6}, {1, 2, 3, 4, 5, 6}).AbsentInput().Input<double>({1, 1, 1}, {h});
    const double g = after == 0 ? std::tanh(-3 + 3 + r * h * 0.3 + 6) : std::tanh(-3 + 3 + r * (h * 0.3 + 6));
    EXPECT_THAT(op.Run<double>(), ElementsAre(testing::DoubleNear((1 - z) * g + z * h, 1e-12)));
  }
}

// A few units in the last place of float, over the range where the functions are not constant.
TEST(VectorMath, FollowsTheLibrary) {
  for (float x = -90; x < 90; x += 0.0137f) {
    EXPECT_THAT(VectorTanh(x), FloatNear(std::tanh(x), 3e-7f * std::abs(std::tanh(x)))) << x;
    if (x > -87 && x < 88) EXPECT_THAT(VectorExp(x), FloatNear(std::exp(x), 3e-7f * std::exp(x))) << x;
    EXPECT_THAT(VectorSigmoid(x), FloatNear(1 / (1 + std::exp(-x)), 3e-7f)) << x;
  }
  EXPECT_EQ(VectorExp(-INFINITY), 0);
  EXPECT_EQ(VectorExp(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(VectorExp(NAN)));
  EXPECT_TRUE(std::isnan(VectorTanh(NAN)));
}

}  // namespace
}  // namespace tandem::engine
