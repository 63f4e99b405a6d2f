// Memory plan: where each buffer of a plan lies in the arena, so that buffers which are never alive together share
// bytes.
#ifndef TANDEM_ENGINE_COMPILE_MEMORY_PLAN_H_
#define TANDEM_ENGINE_COMPILE_MEMORY_PLAN_H_

#include <cstddef>
#include <vector>

namespace tandem::engine {

struct BufferLife {
  size_t bytes = 0;
  // The steps that first write and last read it, both included. first > last: unused, takes no room.
  int first = 0;
  int last = -1;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // one a buffer, aligned to kBufferAlignment
  size_t bytes = 0;             // of the whole
};

inline constexpr size_t kBufferAlignment = 64;

// Greedy best fit, largest buffer first: each goes into the smallest gap between those that overlap it in time.
// (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020: greedy by size.)
MemoryPlan PlanMemory(const std::vector<BufferLife>& buffers);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_MEMORY_PLAN_H_
