#include "engine/quantize/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using Flags = std::vector<bool>;

// Each layer in int8 adds its noise; the loss is the noise.
Evaluate Additive(std::vector<double> noise, int* evaluations = nullptr) {
  return [noise = std::move(noise), evaluations](const Flags& int8) -> absl::StatusOr<double> {
    if (evaluations != nullptr) ++*evaluations;
    double loss = 0;
    for (size_t i = 0; i < int8.size(); ++i) loss += int8[i] ? noise[i] : 0;
    return loss;
  };
}

SearchProblem Problem(std::vector<double> noise, double target) {
  SearchProblem problem;
  problem.int8 = Flags(noise.size(), true);
  problem.saved_us = std::vector<double>(noise.size(), 100);
  problem.noise = std::move(noise);
  problem.target_loss = target;
  return problem;
}

absl::StatusOr<SearchResult> Search(const SearchProblem& problem) {
  return SearchPrecision(problem, Additive(problem.noise));
}

TEST(SearchTest, WhatIsGoodEnoughStaysWhole) {
  EXPECT_THAT(Search(Problem({1, 1, 1}, 10))->int8, ElementsAre(true, true, true));
}

TEST(SearchTest, TheNoisiestLayerIsLeftInFloat) {
  EXPECT_THAT(Search(Problem({1, 8, 1, 1}, 4))->int8, ElementsAre(true, false, true, true));
}

TEST(SearchTest, NoiseIsWeighedAgainstTime) {
  SearchProblem problem = Problem({2, 1, 1}, 2);
  problem.saved_us = {1000, 10, 10};
  problem.spendable_share = 0;
  EXPECT_THAT(Search(problem)->int8, ElementsAre(true, false, false));
}

TEST(SearchTest, LayersThatWereLeftInVainAreTakenBack) {
  // Ranked first for its little time, the first layer does not matter once the second is in float.
  SearchProblem problem = Problem({1, 8, 1}, 3);
  problem.saved_us = {1, 100, 100};
  problem.spendable_share = 0;
  EXPECT_THAT(Search(problem)->int8, ElementsAre(true, false, true));
}

TEST(SearchTest, ALittleTimeIsSpentOnMuchNoiseThoughTheTargetIsMet) {
  SearchProblem problem = Problem({1, 8, 1}, 100);
  problem.saved_us = {1000, 10, 1000};
  EXPECT_THAT(Search(problem)->int8, ElementsAre(true, false, true));
}

TEST(SearchTest, ABeginningIsLeftInFloatWhereSingleLayersCostTooMuch) {
  SearchProblem problem = Problem({2, 2, 1, 4, 1}, 100);
  problem.saved_us = {20, 20, 500, 20, 500};
  problem.spendable_share = 0.05;
  // Every change of the type costs, as conversions do.
  problem.is_affordable = [](const Flags& int8) -> absl::StatusOr<bool> {
    int changes = int8[0] ? 1 : 0;
    for (size_t i = 1; i < int8.size(); ++i) changes += int8[i] != int8[i - 1];
    return changes <= 1;
  };
  EXPECT_THAT(Search(problem)->int8, ElementsAre(false, false, true, true, true));
}

TEST(SearchTest, OfTwoChoicesTheOneThatLowersTheNoiseMoreIsTaken) {
  SearchProblem problem = Problem({2, 2, 1, 9, 1}, 100);
  problem.saved_us = {20, 20, 500, 20, 500};
  problem.spendable_share = 0.05;
  EXPECT_THAT(Search(problem)->int8, ElementsAre(false, true, true, false, true));
}

TEST(SearchTest, WhatTurnsOutTooSlowIsNotSpent) {
  SearchProblem problem = Problem({1, 8, 1}, 100);
  problem.saved_us = {1000, 10, 1000};
  problem.is_affordable = [](const Flags&) { return absl::StatusOr<bool>(false); };
  EXPECT_THAT(Search(problem)->int8, ElementsAre(true, true, true));
}

TEST(SearchTest, NothingIsLeftInInt8WhenNothingIsGoodEnough) {
  EXPECT_THAT(Search(Problem({1, 1}, 0))->int8, ElementsAre(false, false));
}

TEST(SearchTest, LayersThatBeginInFloatStayThere) {
  SearchProblem problem = Problem({5, 0, 1}, 1);
  problem.int8[1] = false;
  EXPECT_FALSE(Search(problem)->int8[1]);
}

TEST(SearchTest, ItTellsWhichLayersMakeTheNoise) {
  EXPECT_THAT(Search(Problem({1, 6, 1}, 0))->noise_share, ElementsAre(0.125, 0.75, 0.125));
}

TEST(SearchTest, EvaluationsAreBounded) {
  int evaluations = 0;
  const SearchProblem problem = Problem(std::vector<double>(200, 1), 50);
  ASSERT_TRUE(SearchPrecision(problem, Additive(problem.noise, &evaluations)).ok());
  EXPECT_LE(evaluations, 40);
}

}  // namespace
}  // namespace tandem::engine
