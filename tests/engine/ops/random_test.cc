#include <numeric>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::HasSubstr;

OpTester Random(const std::string& name, float seed) {
  OpTester op(name);
  op.attributes.Set("shape", std::vector<int64_t>{1000});
  op.attributes.Set("seed", seed);
  return op;
}

double Mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST(RandomUniform, StaysInRangeAndDependsOnTheSeedAlone) {
  const std::vector<float> values = Random("RandomUniform", 1).Run<float>();
  for (float value : values) {
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 1);
  }
  EXPECT_NEAR(Mean(values), 0.5, 0.05);  // five deviations of the mean of 1000
  EXPECT_EQ(values, Random("RandomUniform", 1).Run<float>());
  EXPECT_NE(values, Random("RandomUniform", 2).Run<float>());
}

TEST(RandomNormal, HasTheMeanAndDeviationAskedFor) {
  OpTester op = Random("RandomNormal", 3);
  op.attributes.Set("mean", 10.0f);
  op.attributes.Set("scale", 2.0f);
  EXPECT_NEAR(Mean(op.Run<float>()), 10, 0.32);  // five deviations of the mean of 1000
}

TEST(Bernoulli, FollowsTheProbabilities) {
  OpTester op("Bernoulli");
  op.attributes.Set("seed", 1.0f);
  op.Input<float>({3}, {0, 1, 0});
  EXPECT_THAT(op.Run<float>(), ::testing::ElementsAre(0, 1, 0));
}

TEST(RandomUniform, RefusesToAnswerWithoutASeed) {
  OpTester op("RandomUniform");
  op.attributes.Set("shape", std::vector<int64_t>{1});
  EXPECT_THAT(op.Error().message(), HasSubstr("seed"));
}

}  // namespace
}  // namespace tandem::engine
