#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

auto Near(float expected) { return FloatNear(expected, 1e-6f); }

// Two samples of two classes with logarithms of probabilities -1, -2 and -3, -4.
OpTester Likelihood(std::vector<int64_t> labels, const std::string& reduction) {
  OpTester op("NegativeLogLikelihoodLoss");
  op.attributes.Set("reduction", reduction);
  const Shape shape{static_cast<int64_t>(labels.size())};
  op.Input<float>({2, 2}, {-1, -2, -3, -4}).Input<int64_t>(shape, std::move(labels));
  return op;
}

TEST(NegativeLogLikelihoodLoss, PicksTheLabelsScore) {
  EXPECT_THAT(Likelihood({1, 0}, "none").Run<float>(), ElementsAre(2, 3));
  EXPECT_THAT(Likelihood({1, 0}, "sum").Run<float>(), ElementsAre(5));
  EXPECT_THAT(Likelihood({1, 0}, "mean").Run<float>(), ElementsAre(2.5f));
  EXPECT_EQ(Likelihood({1, 0}, "mean").RunShape(), Shape());
}

TEST(NegativeLogLikelihoodLoss, WeighsClasses) {
  OpTester op = Likelihood({1, 0}, "mean");
  op.Input<float>({2}, {1, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre((2 * 3 + 3 * 1) / 4.0f));
}

TEST(NegativeLogLikelihoodLoss, SkipsTheIgnoredLabelWhateverItIs) {
  OpTester op = Likelihood({-7, 0}, "mean");
  op.attributes.Set("ignore_index", int64_t{-7});
  EXPECT_THAT(op.Run<float>(), ElementsAre(3));
}

TEST(NegativeLogLikelihoodLoss, WalksSpatialDimensions) {
  OpTester op("NegativeLogLikelihoodLoss");
  op.attributes.Set("reduction", std::string("none"));
  op.Input<float>({1, 2, 2}, {-1, -2, -3, -4}).Input<int32_t>({1, 2}, {1, 0});
  EXPECT_THAT(op.Run<float>(), ElementsAre(3, 2));
}

TEST(NegativeLogLikelihoodLoss, RefusesLabelsOutOfRange) {
  EXPECT_THAT(Likelihood({2, 0}, "mean").Error().message(), HasSubstr("label 2 is outside [0,2)"));
  EXPECT_THAT(Likelihood({-1, 0}, "mean").Error().message(), HasSubstr("label -1"));
}

TEST(NegativeLogLikelihoodLoss, RefusesShapesThatDoNotFit) {
  EXPECT_THAT(Likelihood({0, 0, 0}, "mean").Error().message(), HasSubstr("labels have shape [3]"));
  OpTester weights = Likelihood({0, 0}, "mean");
  weights.Input<float>({3}, {1, 1, 1});
  EXPECT_THAT(weights.Error().message(), HasSubstr("weights have shape [3]"));
  EXPECT_THAT(Likelihood({0, 0}, "max").Error().message(), HasSubstr("reduction"));
}

TEST(SoftmaxCrossEntropyLoss, TakesSoftmaxFirst) {
  OpTester op("SoftmaxCrossEntropyLoss");
  op.Input<float>({2, 2}, {0, 1, 2, 2}).Input<int64_t>({2}, {1, 0}).Outputs(2);
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near((0.3132617f + 0.6931472f) / 2)));
  EXPECT_THAT(op.Run<float>(1),
              ElementsAre(Near(-1.3132617f), Near(-0.3132617f), Near(-0.6931472f), Near(-0.6931472f)));
  op.Outputs(1);
  EXPECT_THAT(op.Run<float>(), ElementsAre(Near((0.3132617f + 0.6931472f) / 2)));
}

}  // namespace
}  // namespace tandem::engine
