#include "engine/quantize/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "engine/quantize/ranges.h"

namespace tandem::engine {
namespace {

std::vector<float> Ramp(int count, float low, float high) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(low + (high - low) * static_cast<float>(i) / (count - 1));
  return values;
}

TEST(HistogramTest, CountsDoNotDependOnTheOrder) {
  const std::vector<float> small = Ramp(1000, -0.01f, 0.01f), large = Ramp(1000, -50, 300);
  Histogram growing, shrinking;
  growing.Add(small);
  growing.Add(large);
  shrinking.Add(large);
  shrinking.Add(small);
  EXPECT_EQ(growing.counts(), shrinking.counts());
  EXPECT_EQ(growing.width(), shrinking.width());
  EXPECT_EQ(growing.total(), 2000);
  EXPECT_EQ(std::accumulate(growing.counts().begin(), growing.counts().end(), int64_t{0}), 2000);
}

TEST(HistogramTest, ExtremesAreExact) {
  Histogram histogram;
  histogram.Add(std::vector<float>{-1.25f, 7.5f, 3});
  histogram.Add(std::vector<float>{2});
  EXPECT_EQ(histogram.min(), -1.25f);
  EXPECT_EQ(histogram.max(), 7.5f);
}

TEST(HistogramTest, NegativeNumbersLieInBinsOfTheirOwn) {
  Histogram histogram;
  histogram.Add(std::vector<float>{-1, 1});
  const auto& counts = histogram.counts();
  const auto first = std::find(counts.begin(), counts.end(), 1) - counts.begin();
  EXPECT_LT(histogram.Center(static_cast<int>(first)), 0);
}

TEST(HistogramTest, QuantilesAreRightToWithinABin) {
  Histogram histogram;
  histogram.Add(Ramp(100001, 0, 10));
  EXPECT_NEAR(histogram.Quantile(0.5), 5, 2 * histogram.width());
  EXPECT_NEAR(histogram.Quantile(0.999), 9.99, 2 * histogram.width());
  EXPECT_LE(histogram.Quantile(1), 10);
}

TEST(HistogramTest, MergingIsAddingToOne) {
  Histogram a, b, both;
  a.Add(Ramp(100, 0, 1));
  b.Add(Ramp(100, -20, 20));
  both.Add(Ramp(100, 0, 1));
  both.Add(Ramp(100, -20, 20));
  a.Merge(b);
  EXPECT_EQ(a.counts(), both.counts());
  EXPECT_EQ(a.min(), both.min());
  EXPECT_EQ(a.max(), both.max());
  Histogram empty;
  empty.Merge(both);
  EXPECT_EQ(empty.counts(), both.counts());
}

TEST(RangesTest, ExtremesComeFirstAndNothingIsWider) {
  Histogram histogram;
  std::vector<float> values = Ramp(10000, 0, 1);
  values.push_back(1000);  // an outlier
  histogram.Add(values);
  const auto candidates = RangeCandidates(histogram);
  ASSERT_EQ(candidates.size(), 6u);
  EXPECT_EQ(candidates[0].high, 1000);
  for (const RangeCandidate& candidate : candidates) EXPECT_LE(candidate.high, 1000) << candidate.name;
}

TEST(RangesTest, ConstantsLeaveNothingToChoose) {
  Histogram histogram;
  histogram.Add(std::vector<float>(100, 0.0f));
  EXPECT_EQ(RangeCandidates(histogram).size(), 1u);
}

}  // namespace
}  // namespace tandem::engine
