#include "engine/compile/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/compile/arena.h"

namespace tandem::engine {
namespace {

bool AliveTogether(const BufferLife& a, const BufferLife& b) {
  return a.first <= a.last && b.first <= b.last && a.first <= b.last && b.first <= a.last;
}

// No two buffers that are alive together share a byte; all lie inside the plan, aligned.
void ExpectSound(const std::vector<BufferLife>& lives) {
  const MemoryPlan plan = PlanMemory(lives);
  ASSERT_EQ(plan.offsets.size(), lives.size());
  for (size_t a = 0; a < lives.size(); ++a) {
    if (lives[a].first > lives[a].last) continue;
    ASSERT_EQ(plan.offsets[a] % kBufferAlignment, 0u);
    ASSERT_LE(plan.offsets[a] + lives[a].bytes, plan.bytes);
    for (size_t b = 0; b < a; ++b) {
      if (!AliveTogether(lives[a], lives[b])) continue;
      const bool apart =
          plan.offsets[a] + lives[a].bytes <= plan.offsets[b] || plan.offsets[b] + lives[b].bytes <= plan.offsets[a];
      ASSERT_TRUE(apart) << "buffers " << a << " and " << b;
    }
  }
}

TEST(MemoryPlanTest, BuffersAliveTogetherNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<BufferLife> lives(random() % 60);
    for (BufferLife& life : lives) {
      life.bytes = random() % 5 == 0 ? random() % 3 : random() % 5000;
      life.first = static_cast<int>(random() % 40);
      life.last = life.first + static_cast<int>(random() % 12) - 1;  // some are never used
    }
    ExpectSound(lives);
  }
}

TEST(MemoryPlanTest, AChainNeedsRoomForTwo) {
  std::vector<BufferLife> lives;
  for (int i = 0; i < 20; ++i) lives.push_back({1024, i, i + 1});
  EXPECT_EQ(PlanMemory(lives).bytes, 2048u);
}

TEST(MemoryPlanTest, AGapTakesTheBufferThatFitsItBest) {
  const std::vector<BufferLife> lives = {{640, 0, 9}, {256, 0, 1}, {128, 0, 9}, {256, 2, 9}};
  EXPECT_EQ(PlanMemory(lives).bytes, 640u + 256 + 128);
  ExpectSound(lives);
}

TEST(MemoryPlanTest, UnusedBuffersTakeNoRoom) {
  EXPECT_EQ(PlanMemory({{1 << 20, 3, 2}}).bytes, 0u);
  EXPECT_EQ(PlanMemory({}).bytes, 0u);
}

TEST(ArenaTest, GrowsInPlaceAndKeepsItsBytes) {
  Arena arena;
  ASSERT_TRUE(arena.Grow(100).ok());
  char* const base = arena.base();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(base) % 4096, 0u);
  base[99] = 7;
  ASSERT_TRUE(arena.Grow(size_t{64} << 20).ok());
  EXPECT_EQ(arena.base(), base);
  EXPECT_EQ(base[99], 7);
  base[(size_t{64} << 20) - 1] = 1;
  const size_t size = arena.size();
  EXPECT_EQ(arena.TakeAsked(), size_t{64} << 20);
  ASSERT_TRUE(arena.Grow(1).ok());
  EXPECT_EQ(arena.size(), size);
  EXPECT_EQ(arena.TakeAsked(), 1U);
  EXPECT_EQ(arena.TakeAsked(), 0U);
}

TEST(ArenaTest, RefusesWhatItCannotGive) {
  Arena arena;
  EXPECT_EQ(arena.Grow(size_t{1} << 50).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(arena.Grow(4096).ok());
}

}  // namespace
}  // namespace tandem::engine
