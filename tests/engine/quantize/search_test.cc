#include "engine/quantize/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using Flags = std::vector<bool>;

// Each layer in int8 adds its noise; the loss is the noise.
Evaluate Additive(std::vector<double> noise, int* evaluations = nullptr) {
  return [noise = std::move(noise), evaluations](const Flags& int8) -> absl::StatusOr<Evaluation> {
    if (evaluations != nullptr) ++*evaluations;
    Evaluation evaluation;
    for (size_t i = 0; i < int8.size(); ++i) evaluation.noise += int8[i] ? noise[i] : 0;
    evaluation.loss = evaluation.noise;
    return evaluation;
  };
}

SearchProblem Problem(size_t layers, double target) {
  SearchProblem problem;
  problem.int8 = Flags(layers, true);
  problem.saved_us = std::vector<double>(layers, 100);
  problem.target_loss = target;
  return problem;
}

TEST(SearchTest, WhatIsGoodEnoughStaysWhole) {
  EXPECT_THAT(SearchPrecision(Problem(3, 10), Additive({1, 1, 1}))->int8, ElementsAre(true, true, true));
}

TEST(SearchTest, TheNoisiestLayerIsLeftInFloat) {
  EXPECT_THAT(SearchPrecision(Problem(4, 4), Additive({1, 8, 1, 1}))->int8, ElementsAre(true, false, true, true));
}

TEST(SearchTest, NoiseIsWeighedAgainstTime) {
  SearchProblem problem = Problem(3, 2);
  problem.saved_us = {1000, 10, 10};
  problem.spendable_share = 0;
  EXPECT_THAT(SearchPrecision(problem, Additive({2, 1, 1}))->int8, ElementsAre(true, false, false));
}

TEST(SearchTest, LayersThatWereLeftInVainAreTakenBack) {
  // Ranked first for its little time, the first layer does not matter once the second is in float.
  SearchProblem problem = Problem(3, 3);
  problem.saved_us = {1, 100, 100};
  problem.spendable_share = 0;
  EXPECT_THAT(SearchPrecision(problem, Additive({1, 8, 1}))->int8, ElementsAre(true, false, true));
}

TEST(SearchTest, ALittleTimeIsSpentOnMuchNoiseThoughTheTargetIsMet) {
  SearchProblem problem = Problem(3, 100);
  problem.saved_us = {1000, 10, 1000};
  EXPECT_THAT(SearchPrecision(problem, Additive({1, 8, 1}))->int8, ElementsAre(true, false, true));
}

TEST(SearchTest, WhatTurnsOutTooSlowIsNotSpent) {
  SearchProblem problem = Problem(3, 100);
  problem.saved_us = {1000, 10, 1000};
  problem.is_affordable = [](const Flags&) { return absl::StatusOr<bool>(false); };
  EXPECT_THAT(SearchPrecision(problem, Additive({1, 8, 1}))->int8, ElementsAre(true, true, true));
}

TEST(SearchTest, NothingIsLeftInInt8WhenNothingIsGoodEnough) {
  EXPECT_THAT(SearchPrecision(Problem(2, 0), Additive({1, 1}))->int8, ElementsAre(false, false));
}

TEST(SearchTest, LayersThatBeginInFloatStayThere) {
  SearchProblem problem = Problem(3, 1);
  problem.int8[1] = false;
  EXPECT_FALSE(SearchPrecision(problem, Additive({5, 0, 1}))->int8[1]);
}

TEST(SearchTest, ItTellsWhichLayersMakeTheNoise) {
  EXPECT_THAT(SearchPrecision(Problem(3, 0), Additive({1, 6, 1}))->noise_share, ElementsAre(0.125, 0.75, 0.125));
}

TEST(SearchTest, EvaluationsAreBounded) {
  int evaluations = 0;
  constexpr size_t kLayers = 200;
  ASSERT_TRUE(SearchPrecision(Problem(kLayers, 50), Additive(std::vector<double>(kLayers, 1), &evaluations)).ok());
  EXPECT_LE(evaluations, static_cast<int>(kLayers) + 40);
}

}  // namespace
}  // namespace tandem::engine
