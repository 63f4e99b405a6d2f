#include <cmath>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpTester Align(std::vector<float> roi, int64_t batch) {
  OpTester op("RoiAlign");
  op.Input<float>({1, 1, 2, 2}, {1, 2, 3, 4}).Input<float>({1, 4}, std::move(roi)).Input<int64_t>({1}, {batch});
  return op;
}

TEST(RoiAlign, AveragesBilinearSamples) {
  // One sample in the middle of the four elements' centers.
  OpTester op = Align({0, 0, 2, 2}, 0);
  op.attributes.Set("sampling_ratio", int64_t{1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(2.5f));
}

TEST(RoiAlign, RefusesWrongBatchesAndEndlessRegions) {
  EXPECT_THAT(Align({0, 0, 2, 2}, 1).Error().message(), HasSubstr("batch index 1"));
  EXPECT_THAT(Align({0, 0, 1e9f, 1e9f}, 0).Error().message(), HasSubstr("too large"));
  EXPECT_THAT(Align({0, 0, NAN, 1}, 0).Error().message(), HasSubstr("too large"));
}

TEST(RoiAlign, OfARegionOutsideIsZero) { EXPECT_THAT(Align({9, 9, 10, 10}, 0).Run<float>(), ElementsAre(0)); }

TEST(MaxRoiPool, TakesTheLargestOfEachBin) {
  OpTester op("MaxRoiPool");
  op.attributes.Set("pooled_shape", std::vector<int64_t>{1, 2});
  op.Input<float>({1, 1, 2, 2}, {1, 2, 3, 4}).Input<float>({1, 5}, {0, 0, 0, 1, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(3, 4));
}

TEST(MaxRoiPool, RefusesWhatIsNoRegion) {
  OpTester op("MaxRoiPool");
  op.attributes.Set("pooled_shape", std::vector<int64_t>{1, 1});
  op.Input<float>({1, 1, 1, 1}, {1}).Input<float>({1, 5}, {0, INFINITY, 0, 1, 1});
  EXPECT_THAT(op.Error().message(), HasSubstr("not finite"));
  OpTester batch("MaxRoiPool");
  batch.attributes.Set("pooled_shape", std::vector<int64_t>{1, 1});
  batch.Input<float>({1, 1, 1, 1}, {1}).Input<float>({1, 5}, {-1, 0, 0, 1, 1});
  EXPECT_THAT(batch.Error().message(), HasSubstr("batch index"));
}

}  // namespace
}  // namespace tandem::engine
