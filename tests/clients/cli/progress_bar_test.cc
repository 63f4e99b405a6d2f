#include "clients/cli/progress_bar.h"

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

v1::BuildProgress Progress(double done, double seconds_left) {
  v1::BuildProgress progress;
  progress.set_stage("judge");
  progress.set_done(done);
  progress.set_seconds_left(seconds_left);
  return progress;
}

TEST(BarText, ShowsStageShareAndTime) {
  EXPECT_EQ(BarText(Progress(0.45, 12.4)), "[#########...........] judge 45 %, 12 s left");
  EXPECT_EQ(BarText(Progress(0, 0)), "[....................] judge 0 %");
  EXPECT_EQ(BarText(Progress(1, 0)), "[####################] judge 100 %");
}

TEST(BarText, StaysABarWhateverIsSaid) {
  EXPECT_EQ(BarText(Progress(7, -1)), "[####################] judge 100 %");
  EXPECT_EQ(BarText(Progress(-7, 0)), "[....................] judge 0 %");
}

}  // namespace
}  // namespace tandem::cli
