#include "engine/compile/memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tandem::engine {

namespace {

size_t Aligned(size_t bytes) { return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment; }

bool Overlap(const BufferLife& a, const BufferLife& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

MemoryPlan PlanMemory(const std::vector<BufferLife>& buffers) {
  MemoryPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<size_t> by_size(buffers.size());
  std::iota(by_size.begin(), by_size.end(), 0);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  std::vector<size_t> placed;  // ascending by offset
  for (size_t index : by_size) {
    const BufferLife& buffer = buffers[index];
    if (buffer.first > buffer.last) continue;
    const size_t need = Aligned(std::max<size_t>(buffer.bytes, 1));
    size_t best = std::numeric_limits<size_t>::max();
    size_t best_gap = best;
    size_t end = 0;  // of everything alive with it that lies before the gap looked at
    for (size_t other : placed) {
      if (!Overlap(buffer, buffers[other])) continue;
      const size_t offset = plan.offsets[other];
      if (offset >= end && offset - end >= need && offset - end < best_gap) {
        best = end;
        best_gap = offset - end;
      }
      end = std::max(end, offset + Aligned(std::max<size_t>(buffers[other].bytes, 1)));
    }
    plan.offsets[index] = best_gap == std::numeric_limits<size_t>::max() ? end : best;
    plan.bytes = std::max(plan.bytes, plan.offsets[index] + need);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                   [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
                  index);
  }
  return plan;
}

}  // namespace tandem::engine
