#include <cmath>
#include <functional>
#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::IsEmpty;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct MathCase {
  std::string op;
  std::function<double(double)> expected;
};

class Mathematics : public ::testing::TestWithParam<MathCase> {};

TEST_P(Mathematics, EqualsTheCLibraryInBothPrecisions) {
  const std::vector<double> xs = {-2.5, -1, -0.75, -0.5, 0, 0.25, 0.5, 1, 1.5, 2.5, 20};
  OpTester in_double(GetParam().op);
  in_double.Input<double>({11}, xs);
  OpTester in_float(GetParam().op);
  in_float.Input<float>({11}, {xs.begin(), xs.end()});
  const auto doubles = in_double.Run<double>();
  const auto floats = in_float.Run<float>();
  for (size_t i = 0; i < xs.size(); ++i) {
    const double expected = GetParam().expected(xs[i]);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(doubles[i])) << xs[i];
      EXPECT_TRUE(std::isnan(floats[i])) << xs[i];
      continue;
    }
    EXPECT_DOUBLE_EQ(doubles[i], expected) << xs[i];
    EXPECT_FLOAT_EQ(floats[i], static_cast<float>(expected)) << xs[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Unary, Mathematics,
                         ::testing::Values(MathCase{"Abs", [](double x) { return std::abs(x); }},
                                           MathCase{"Neg", std::negate<double>()},
                                           MathCase{"Ceil", [](double x) { return std::ceil(x); }},
                                           MathCase{"Floor", [](double x) { return std::floor(x); }},
                                           MathCase{"Sqrt", [](double x) { return std::sqrt(x); }},
                                           MathCase{"Reciprocal", [](double x) { return 1 / x; }},
                                           MathCase{"Exp", [](double x) { return std::exp(x); }},
                                           MathCase{"Log", [](double x) { return std::log(x); }},
                                           MathCase{"Erf", [](double x) { return std::erf(x); }},
                                           MathCase{"Sin", [](double x) { return std::sin(x); }},
                                           MathCase{"Cos", [](double x) { return std::cos(x); }},
                                           MathCase{"Tan", [](double x) { return std::tan(x); }},
                                           MathCase{"Asin", [](double x) { return std::asin(x); }},
                                           MathCase{"Acos", [](double x) { return std::acos(x); }},
                                           MathCase{"Atan", [](double x) { return std::atan(x); }},
                                           MathCase{"Sinh", [](double x) { return std::sinh(x); }},
                                           MathCase{"Cosh", [](double x) { return std::cosh(x); }},
                                           MathCase{"Tanh", [](double x) { return std::tanh(x); }},
                                           MathCase{"Asinh", [](double x) { return std::asinh(x); }},
                                           MathCase{"Acosh", [](double x) { return std::acosh(x); }},
                                           MathCase{"Atanh", [](double x) { return std::atanh(x); }}),
                         [](const auto& info) { return info.param.op; });

TEST(Exp, RunsToZeroAndInfinityAndKeepsNan) {
  OpTester op("Exp");
  op.Input<float>({5}, {-kInfinity, -200, 200, kInfinity, kNan});
  const auto y = op.Run<float>();
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[2], kInfinity);
  EXPECT_EQ(y[3], kInfinity);
  EXPECT_TRUE(std::isnan(y[4]));
}

TEST(Exp, IsRightWhereResultsAreNearTheEndsOfFloat) {
  OpTester op("Exp");
  op.Input<float>({3}, {88.5f, -87.5f, -95});
  EXPECT_THAT(op.Run<float>(),
              ElementsAre(FloatEq(std::exp(88.5f)), FloatEq(std::exp(-87.5f)), FloatEq(std::exp(-95.0f))));
}

TEST(Abs, WrapsTheSmallestInteger) {
  OpTester op("Abs");
  op.Input<int8_t>({3}, {-128, -5, 5});
  EXPECT_THAT(op.Run<int8_t>(), ElementsAre(-128, 5, 5));
}

TEST(Neg, RefusesUnsigned) {
  OpTester op("Neg");
  op.Input<uint8_t>({1}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

TEST(Round, TakesHalvesToTheEvenNeighbour) {
  OpTester op("Round");
  op.Input<float>({6}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 2.6f});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 2, 2, 0, -2, 3));
}

TEST(Sign, IsMinusOneZeroOrOne) {
  OpTester op("Sign");
  op.Input<float>({3}, {-7, 0, 7});
  EXPECT_THAT(op.Run<float>(), ElementsAre(-1, 0, 1));
  OpTester integers("Sign");
  integers.Input<uint8_t>({2}, {0, 200});
  EXPECT_THAT(integers.Run<uint8_t>(), ElementsAre(0, 1));
}

TEST(IsNaN, SeesOnlyNan) {
  OpTester op("IsNaN");
  op.Input<float>({3}, {1, kNan, kInfinity});
  EXPECT_THAT(op.Run<bool>(), ElementsAre(false, true, false));
}

TEST(IsInf, DetectsTheSignsAskedFor) {
  OpTester both("IsInf");
  both.Input<float>({3}, {-kInfinity, kInfinity, kNan});
  EXPECT_THAT(both.Run<bool>(), ElementsAre(true, true, false));
  OpTester positive("IsInf");
  positive.attributes.Set("detect_negative", int64_t{0});
  positive.Input<double>({2}, {-kInfinity, kInfinity});
  EXPECT_THAT(positive.Run<bool>(), ElementsAre(false, true));
}

TEST(Not, Inverts) {
  OpTester op("Not");
  op.Input<bool>({2}, {true, false});
  EXPECT_THAT(op.Run<bool>(), ElementsAre(false, true));
}

TEST(Not, RefusesNumbers) {
  OpTester op("Not");
  op.Input<float>({1}, {1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

TEST(BitwiseNot, FlipsAllBits) {
  OpTester op("BitwiseNot");
  op.Input<uint8_t>({2}, {0, 0xf0});
  EXPECT_THAT(op.Run<uint8_t>(), ElementsAre(255, 0x0f));
}

TEST(Identity, CopiesAnyShape) {
  OpTester op("Identity");
  op.Input<int64_t>({2, 1}, {7, 8});
  EXPECT_THAT(op.Run<int64_t>(), ElementsAre(7, 8));
  EXPECT_EQ(op.RunShape(), Shape({2, 1}));
  OpTester empty("Identity");
  empty.Input<float>({0, 3}, {});
  EXPECT_THAT(empty.Run<float>(), IsEmpty());
}

TEST(Dropout, KeepsEverythingInInference) {
  OpTester op("Dropout");
  op.Input<float>({2}, {1, 2}).Input<float>({}, {0.5f}).Outputs(2);
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2));
  EXPECT_THAT(op.Run<bool>(1), ElementsAre(true, true));
}

TEST(Dropout, RefusesToDropAtRandom) {
  OpTester op("Dropout");
  op.Input<float>({2}, {1, 2}).Input<float>({}, {0.5f}).Input<bool>({}, {true});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
  OpTester zero("Dropout");
  zero.Input<float>({2}, {1, 2}).Input<float>({}, {0}).Input<bool>({}, {true});
  EXPECT_THAT(zero.Run<float>(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace tandem::engine
