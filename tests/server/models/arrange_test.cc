#include "server/models/arrange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::models {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Wishes Latest(int64_t latest, std::set<int64_t> present, int64_t keep_previous = 1) {
  Wishes wishes{.keep_previous = keep_previous, .present = std::move(present)};
  wishes.policy.latest = latest;
  return wishes;
}

TEST(ArrangeTest, TheNewestServesAndTheOneBeforeIsKept) {
  const Arrangement result = Arrange({{7, false}, {8, true}, {9, true}}, Latest(1, {7, 8, 9}), {});
  EXPECT_THAT(result.serve, ElementsAre(9));
  EXPECT_THAT(result.keep, ElementsAre(8));
}

TEST(ArrangeTest, NoneIsKeptWhenNoneIsWanted) {
  const Arrangement result = Arrange({{8, true}, {9, true}}, Latest(1, {8, 9}, 0), {});
  EXPECT_THAT(result.serve, ElementsAre(9));
  EXPECT_THAT(result.keep, IsEmpty());
}

TEST(ArrangeTest, WhatWasRolledBackIsKeptAndTheOneBeforeServes) {
  const Arrangement result = Arrange({{8, false}, {9, true}}, Latest(1, {8, 9}), {9});
  EXPECT_THAT(result.serve, ElementsAre(8));
  EXPECT_THAT(result.keep, ElementsAre(9));
}

TEST(ArrangeTest, WhatServedGoesOnWhileNothingElseCan) {
  EXPECT_THAT(Arrange({{9, true}}, Latest(1, {8, 9}), {9}).serve, ElementsAre(9));
  Wishes wishes = Latest(1, {3, 4});
  wishes.policy.versions = {4};
  EXPECT_THAT(Arrange({{3, true}}, wishes, {}).serve, ElementsAre(3));
}

TEST(ArrangeTest, WhatIsNotThereAnyMoreGoes) {
  const Arrangement result = Arrange({{8, true}, {9, true}}, Latest(1, {8}), {});
  EXPECT_THAT(result.serve, ElementsAre(8));
  EXPECT_THAT(result.keep, IsEmpty());
  EXPECT_THAT(Arrange({{9, true}}, Latest(1, {}), {}).serve, IsEmpty());
}

TEST(ArrangeTest, ACandidateServesBesideWhatThePolicyWants) {
  Wishes wishes = Latest(1, {7, 8, 9});
  wishes.candidate = 9;
  const Arrangement newer = Arrange({{7, false}, {8, false}, {9, true}}, wishes, {});
  EXPECT_THAT(newer.serve, ElementsAre(8, 9));
  EXPECT_THAT(newer.keep, ElementsAre(7));
  wishes.candidate = 7;
  EXPECT_THAT(Arrange({{7, false}, {9, true}}, wishes, {}).serve, ElementsAre(7, 9));
  wishes.policy.versions = {9};
  EXPECT_THAT(Arrange({{7, false}, {9, true}}, wishes, {}).serve, ElementsAre(7, 9));
}

TEST(ArrangeTest, ACandidateThatWasRolledBackFromIsOut) {
  Wishes wishes = Latest(1, {8, 9});
  wishes.candidate = 9;
  const Arrangement result = Arrange({{8, true}, {9, true}}, wishes, {9});
  EXPECT_THAT(result.serve, ElementsAre(8));
  EXPECT_THAT(result.keep, ElementsAre(9));
}

TEST(ArrangeTest, ACandidateServesAloneWhileThereIsNoOther) {
  Wishes wishes = Latest(1, {8, 9});
  wishes.candidate = 9;
  EXPECT_THAT(Arrange({{9, true}}, wishes, {}).serve, ElementsAre(9));
}

TEST(ArrangeTest, PoliciesOfSeveralVersions) {
  EXPECT_THAT(Arrange({{1, true}, {2, true}, {3, true}}, Latest(2, {1, 2, 3}), {}).serve, ElementsAre(2, 3));
  Wishes all = Latest(1, {1, 2, 3});
  all.policy.all = true;
  EXPECT_THAT(Arrange({{1, true}, {2, true}, {3, true}}, all, {3}).serve, ElementsAre(1, 2));
  Wishes listed = Latest(1, {1, 2, 3});
  listed.policy.versions = {1, 3};
  const Arrangement result = Arrange({{1, true}, {2, true}, {3, true}}, listed, {});
  EXPECT_THAT(result.serve, ElementsAre(1, 3));
  EXPECT_THAT(result.keep, ElementsAre(2));
}

}  // namespace
}  // namespace tandem::models
