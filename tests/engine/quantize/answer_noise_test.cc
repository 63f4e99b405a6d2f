#include "engine/quantize/answer_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace tandem::engine {
namespace {

Tensor Scores(std::vector<float> values, int64_t width) {
  Tensor tensor(DataType::kFloat32, {static_cast<int64_t>(values.size()) / width, width});
  std::copy(values.begin(), values.end(), tensor.mutable_values<float>().begin());
  return tensor;
}

// Rows of scores, with normal noise added to each score of the second tensor.
struct Noisy {
  Tensor exact, noisy;
  double changed = 0;  // the share of rows
};

Noisy WithNoise(double deviation, uint64_t seed, int64_t rows = 20000, int64_t width = 10) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> scores(0, 1), noise(0, static_cast<float>(deviation));
  std::vector<float> before, after;
  double changed = 0;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < width; ++c) {
      before.push_back(scores(random));
      after.push_back(before.back() + noise(random));
    }
    const auto top = [&](const std::vector<float>& v) { return std::max_element(v.end() - width, v.end()) - v.end(); };
    changed += top(before) != top(after) ? 1 : 0;
  }
  return {Scores(before, width), Scores(after, width), changed / static_cast<double>(rows)};
}

double Expected(const Tensor& exact, const Tensor& noisy) {
  AnswerNoise noise;
  noise.Add(exact, noisy);
  return noise.ExpectedChanges();
}

TEST(AnswerNoise, NothingChangesWithoutNoise) {
  EXPECT_EQ(AnswerNoise().ExpectedChanges(), 0);
  const Noisy none = WithNoise(0, 1, 10);
  EXPECT_EQ(Expected(none.exact, none.noisy), 0);
}

TEST(AnswerNoise, IsNearTheShareThatChanges) {
  for (double deviation : {0.02, 0.05, 0.1}) {
    const Noisy many = WithNoise(deviation, 7);
    EXPECT_NEAR(Expected(many.exact, many.noisy), many.changed, 0.15 * many.changed) << deviation;
  }
}

TEST(AnswerNoise, AFewRowsTellWhatAllDo) {
  const double all = Expected(WithNoise(0.05, 7).exact, WithNoise(0.05, 7).noisy);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Noisy few = WithNoise(0.05, seed, 64);
    EXPECT_NEAR(Expected(few.exact, few.noisy), all, 0.5 * all) << seed;
  }
}

TEST(AnswerNoise, WhatAllScoresShareChangesNothing) {
  const Tensor exact = Scores({1, 2, 3, 6, 5, 4}, 3), shifted = Scores({2, 3, 4, 5, 4, 3}, 3);
  EXPECT_NEAR(Expected(exact, shifted), 0, 1e-9);
}

TEST(AnswerNoise, OneOutlyingRowDecidesNothing) {
  Noisy rows = WithNoise(0.05, 3, 200);
  const double before = Expected(rows.exact, rows.noisy);
  for (int64_t c = 0; c < 10; ++c) rows.noisy.mutable_values<float>()[c] += c % 2 == 0 ? 50.0f : -50.0f;
  EXPECT_LT(Expected(rows.exact, rows.noisy), before + 1.0 / 200);
}

TEST(AnswerNoise, PowersAddUp) {
  const auto power = [](double deviation) {
    const Noisy rows = WithNoise(deviation, 11);
    AnswerNoise noise;
    noise.Add(rows.exact, rows.noisy);
    return noise.Power();
  };
  EXPECT_EQ(AnswerNoise().Power(), 0);
  EXPECT_NEAR(power(0.05), power(0.03) + power(0.04), 0.02 * power(0.05));
}

// The same scores behind a softmax are as far apart.
TEST(AnswerNoise, LikelihoodsAreComparedByTheirLogarithms) {
  const Noisy scores = WithNoise(0.05, 5, 200);
  const auto softmax = [](const Tensor& tensor) {
    Tensor result = tensor.Clone();
    auto values = result.mutable_values<float>();
    for (size_t at = 0; at < values.size(); at += 10) {
      float sum = 0;
      for (size_t i = at; i < at + 10; ++i) sum += values[i] = std::exp(values[i]);
      for (size_t i = at; i < at + 10; ++i) values[i] /= sum;
    }
    return result;
  };
  EXPECT_NEAR(Expected(softmax(scores.exact), softmax(scores.noisy)), Expected(scores.exact, scores.noisy), 1e-4);
}

TEST(AnswerNoise, OneClassHasNoOther) { EXPECT_EQ(Expected(Scores({1, 2}, 1), Scores({2, 1}, 1)), 0); }

}  // namespace
}  // namespace tandem::engine
