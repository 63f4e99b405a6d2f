#include "server/models/lane.h"

#include <gtest/gtest.h>

namespace tandem::models {
namespace {

TEST(Lane, StepsFollowTheLifeOfASibling) {
  EXPECT_TRUE(MayFollow(LaneState::kAbsent, LaneState::kBuilding));
  EXPECT_TRUE(MayFollow(LaneState::kAbsent, LaneState::kBuilt));
  EXPECT_TRUE(MayFollow(LaneState::kBuilding, LaneState::kBuilt));
  EXPECT_TRUE(MayFollow(LaneState::kBuilding, LaneState::kRejected));
  EXPECT_TRUE(MayFollow(LaneState::kBuilding, LaneState::kFailed));
  EXPECT_TRUE(MayFollow(LaneState::kBuilt, LaneState::kProven));
  EXPECT_TRUE(MayFollow(LaneState::kBuilt, LaneState::kFailed));
}

TEST(Lane, NoVerdictComesFromNothing) {
  for (LaneState verdict : {LaneState::kProven, LaneState::kInconclusive}) {
    EXPECT_FALSE(MayFollow(LaneState::kAbsent, verdict));
    EXPECT_FALSE(MayFollow(LaneState::kBuilding, verdict));
    EXPECT_FALSE(MayFollow(LaneState::kFailed, verdict));
  }
}

TEST(Lane, StartsOverFromEverywhereAndOnlyFromTheStart) {
  for (LaneState state : kLaneStates) {
    EXPECT_TRUE(MayFollow(state, LaneState::kAbsent)) << NameOf(state);
    if (state == LaneState::kAbsent || state == LaneState::kBuilding) continue;
    EXPECT_FALSE(MayFollow(state, LaneState::kBuilding)) << NameOf(state);
  }
}

}  // namespace
}  // namespace tandem::models
