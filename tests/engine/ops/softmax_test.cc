#include <limits>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

auto Near(float expected) { return FloatNear(expected, 1e-6f); }

OpTester Along(const std::string& name, int64_t axis) {
  OpTester op(name);
  op.attributes.Set("axis", axis);
  op.Input<float>({2, 2}, {0, 1, 2, 2});
  return op;
}

TEST(Softmax, NormalizesRows) {
  EXPECT_THAT(Along("Softmax", -1).Run<float>(), ElementsAre(Near(0.2689414f), Near(0.7310586f), 0.5f, 0.5f));
}

TEST(Softmax, NormalizesColumns) {
  EXPECT_THAT(Along("Softmax", 0).Run<float>(),
              ElementsAre(Near(0.1192029f), Near(0.2689414f), Near(0.8807970f), Near(0.7310586f)));
}

TEST(Softmax, DoesNotOverflow) {
  OpTester op("Softmax");
  op.Input<float>({3}, {10000, 10000, -10000});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0.5f, 0.5f, 0));
}

TEST(Softmax, MasksWithMinusInfinity) {
  OpTester op("Softmax");
  op.Input<float>({2}, {-std::numeric_limits<float>::infinity(), 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 1));
}

TEST(Softmax, FlattensAtTheAxisInItsOldForm) {
  OpTester op("Softmax");
  op.attributes.Set("coerce_2d", int64_t{1});
  op.Input<float>({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0.25f, 0.25f, 0.25f, 0.25f));
  op.attributes.Set("axis", int64_t{3});  // one element a row
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 1, 1, 1));
}

TEST(Softmax, AgreesWithDoubleOverLongRows) {
  std::vector<float> x(1003);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 37) % 101) * 0.1f - 5;
  OpTester single("Softmax");
  single.Input<float>({1003}, x);
  OpTester twice("Softmax");
  twice.Input<double>({1003}, {x.begin(), x.end()});
  const auto y = single.Run<float>();
  const auto expected = twice.Run<double>();
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i] / expected[i], 1, 2e-6) << i;
}

TEST(Softmax, RefusesAnAxisOutOfRange) { EXPECT_THAT(Along("Softmax", 2).Error().message(), HasSubstr("axis 2")); }

TEST(LogSoftmax, IsTheLogarithmOfSoftmax) {
  EXPECT_THAT(Along("LogSoftmax", -1).Run<float>(),
              ElementsAre(Near(-1.3132617f), Near(-0.3132617f), Near(-0.6931472f), Near(-0.6931472f)));
  EXPECT_THAT(Along("LogSoftmax", 0).Run<float>(),
              ElementsAre(Near(-2.1269280f), Near(-1.3132617f), Near(-0.1269280f), Near(-0.3132617f)));
}

TEST(Hardmax, MarksTheFirstMaximum) {
  EXPECT_THAT(Along("Hardmax", -1).Run<float>(), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(Along("Hardmax", 0).Run<float>(), ElementsAre(0, 0, 1, 1));
}

TEST(Softmax, LeavesEmptyTensorsEmpty) {
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax"}) {
    OpTester op(name);
    op.Input<float>({2, 0}, {});
    EXPECT_EQ(op.RunShape(), Shape({2, 0})) << name;
  }
}

}  // namespace
}  // namespace tandem::engine
