#include "server/evidence/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tandem::evidence {
namespace {

using engine::Shape;
using engine::Tensor;
using ::testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor Floats(Shape shape, const std::vector<float>& values) { return Tensor::Of<float>(std::move(shape), values); }

TEST(Compare, CountsRowsWhoseLargestScoreMoved) {
  const auto difference = Compare(Floats({3, 2}, {0.9f, 0.1f, 0.2f, 0.8f, 0.6f, 0.4f}),
                                  Floats({3, 2}, {0.8f, 0.2f, 0.3f, 0.7f, 0.4f, 0.6f}));
  EXPECT_TRUE(difference.real);
  EXPECT_EQ(difference.rows, 3);
  EXPECT_EQ(difference.changed, 1);
}

TEST(Compare, MeasuresNoiseAndAngle) {
  const auto difference = Compare(Floats({1, 2}, {3, 4}), Floats({1, 2}, {3, 4.5f}));
  EXPECT_DOUBLE_EQ(difference.noise, 0.25 / 25);
  EXPECT_NEAR(difference.cosine, (9 + 18) / (5 * std::sqrt(9 + 20.25)), 1e-12);
}

TEST(Compare, EqualTensorsDifferInNothing) {
  for (const Tensor& tensor : {Floats({2, 2}, {1, 2, 3, 4}), Floats({2}, {0, 0}), Floats({0, 4}, {}),
                               Floats({1, 2}, {kNan, kInfinity}), Tensor::Scalar<double>(3)}) {
    const auto difference = Compare(tensor, tensor);
    EXPECT_EQ(difference.changed, 0);
    EXPECT_EQ(difference.noise, 0);
    EXPECT_EQ(difference.cosine, 1);
  }
}

TEST(Compare, WhatIsNoNumberDiffersFromEverythingElse) {
  for (float broken : {kNan, kInfinity}) {
    const auto difference = Compare(Floats({1, 2}, {1, 2}), Floats({1, 2}, {1, broken}));
    EXPECT_EQ(difference.noise, 1) << broken;
    EXPECT_EQ(difference.cosine, 0) << broken;
  }
  EXPECT_EQ(Compare(Floats({1, 2}, {1, 2}), Floats({1, 2}, {1, kNan})).changed, 1);
  EXPECT_EQ(Compare(Floats({1, 2}, {kNan, kNan}), Floats({1, 2}, {1, 2})).changed, 1);
}

TEST(Compare, NoiseIsAtMostAll) {
  EXPECT_EQ(Compare(Floats({1, 2}, {1, 1}), Floats({1, 2}, {100, 1})).noise, 1);
  EXPECT_EQ(Compare(Floats({1, 2}, {0, 0}), Floats({1, 2}, {1e-6f, 0})).noise, 1);
}

TEST(Compare, OutputsThatAreNoScoresChangeAsAWhole) {
  EXPECT_EQ(Compare(Floats({4}, {1, 2, 3, 4}), Floats({4}, {1, 2, 3, 4.1f})).changed, 0);
  const auto difference = Compare(Floats({4}, {1, 2, 3, 4}), Floats({4}, {1, 2, 3, 6}));
  EXPECT_EQ(difference.rows, 1);
  EXPECT_EQ(difference.changed, 1);
}

TEST(Compare, WholeNumbersAreEqualOrNot) {
  const auto difference = Compare(Tensor::Of<int64_t>({4}, {{1, 2, 3, 4}}), Tensor::Of<int64_t>({4}, {{1, 2, 3, 5}}));
  EXPECT_FALSE(difference.real);
  EXPECT_EQ(difference.rows, 4);
  EXPECT_EQ(difference.changed, 1);
  EXPECT_EQ(difference.noise, 0.25);
}

TEST(Compare, AnotherShapeHasChangedAltogether) {
  const auto difference = Compare(Floats({2, 2}, {1, 2, 3, 4}), Floats({1, 2}, {1, 2}));
  EXPECT_EQ(difference.rows, 2);
  EXPECT_EQ(difference.changed, 2);
  EXPECT_EQ(difference.noise, 1);
}

TEST(Compare, ReadsHalves) {
  Tensor a(engine::DataType::kFloat16, {1, 2}), b(engine::DataType::kBFloat16, {1, 2});
  static_cast<uint16_t*>(a.data())[1] = engine::FloatToHalf(2);
  static_cast<uint16_t*>(b.data())[1] = engine::FloatToBFloat16(2);
  EXPECT_THAT(TopColumns(a), ElementsAre(1));
  EXPECT_THAT(TopColumns(b), ElementsAre(1));
  EXPECT_EQ(Compare(a, a).changed, 0);
}

TEST(TopColumns, AreTheFirstOfTheLargestAndNoneWithoutNumbers) {
  EXPECT_THAT(TopColumns(Floats({3, 3}, {1, 3, 3, kNan, -5, -6, kNan, kNan, kNan})), ElementsAre(1, 1, -1));
  EXPECT_THAT(TopColumns(Floats({3}, {1, 2, 3})), ElementsAre());
}

TEST(AnswerOf, IsTheOneClassThereIs) {
  const Tensor scores = Floats({1, 3}, {0.1f, 0.7f, 0.2f}), label = Tensor::Of<int64_t>({1}, {5});
  EXPECT_EQ(AnswerOf({scores}), 1);
  EXPECT_EQ(AnswerOf({label, scores}), 5);
  EXPECT_EQ(AnswerOf({Floats({4}, {1, 2, 3, 4}), scores}), 1);
  EXPECT_EQ(AnswerOf({Floats({2, 2}, {1, 2, 3, 4})}), std::nullopt);
  EXPECT_EQ(AnswerOf({Floats({1, 2}, {kNan, kNan})}), std::nullopt);
  EXPECT_EQ(AnswerOf({}), std::nullopt);
}

TEST(MetricFor, ScoresAndWholeNumbersAreCountedTheRestIsMeasured) {
  const Tensor scores = Floats({1, 3}, {0.1f, 0.7f, 0.2f}), label = Tensor::Of<int64_t>({1}, {1});
  const Tensor embedding = Floats({1, 2}, {0.6f, -0.8f}), value = Floats({1, 1}, {2});
  EXPECT_EQ(MetricFor({scores}), Metric::kAgreement);
  EXPECT_EQ(MetricFor({label, scores}), Metric::kAgreement);
  EXPECT_EQ(MetricFor({scores, value}), Metric::kNoise);
  EXPECT_EQ(MetricFor({embedding}), Metric::kNoise);
  EXPECT_EQ(MetricFor({Floats({1, 2, 2, 2}, std::vector<float>(8, 1))}), Metric::kNoise);
}

TEST(LossOf, TakesTheOutputThatChangedMostOrTheMeanNoise) {
  const Comparison comparison{.outputs = {{.real = true, .rows = 4, .changed = 1, .noise = 0.02},
                                          {.real = true, .rows = 2, .changed = 1, .noise = 0.04},
                                          {.real = true, .rows = 0}}};
  EXPECT_EQ(LossOf(comparison, Metric::kAgreement), 0.5);
  EXPECT_DOUBLE_EQ(LossOf(comparison, Metric::kNoise), 0.02);
  EXPECT_EQ(LossOf({}, Metric::kNoise), 0);
}

}  // namespace
}  // namespace tandem::evidence
