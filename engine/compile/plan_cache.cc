#include "engine/compile/plan_cache.h"

#include <algorithm>

#include "engine/compile/compiler.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

bool Equal(const std::vector<Shape>& a, absl::Span<const Shape> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

std::shared_ptr<const Plan> PlanCache::Find(absl::Span<const Shape> shapes, int threads) {
  MutexLock lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->threads != threads || !Equal(it->shapes, shapes)) continue;
    entries_.splice(entries_.begin(), entries_, it);
    return it->plan;
  }
  return nullptr;
}

absl::StatusOr<std::shared_ptr<const Plan>> PlanCache::Get(absl::Span<const Shape> shapes, int threads) {
  if (auto plan = Find(shapes, threads)) return plan;
  MutexLock compiling(compiling_);
  if (auto plan = Find(shapes, threads)) return plan;
  TANDEM_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, Compile(graph_, shapes, threads, context_));
  MutexLock lock(mutex_);
  entries_.push_front({{shapes.begin(), shapes.end()}, threads, plan});
  while (entries_.size() > static_cast<size_t>(context_.max_plans)) entries_.pop_back();
  return plan;
}

BoundPlan* BoundGraph::Find(absl::Span<const Shape> shapes) {
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (!Equal(it->shapes, shapes)) continue;
    if (it != entries_.begin()) entries_.splice(entries_.begin(), entries_, it);
    return it->plan.get();
  }
  return nullptr;
}

absl::StatusOr<BoundPlan*> BoundGraph::Prepare(absl::Span<const Shape> shapes) {
  if (BoundPlan* const plan = Find(shapes)) return plan;
  TANDEM_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, plans_->Get(shapes, threads_));
  TANDEM_ASSIGN_OR_RETURN(std::unique_ptr<BoundPlan> bound, BoundPlan::Bind(std::move(plan), arena_, offset_));
  entries_.push_front({{shapes.begin(), shapes.end()}, std::move(bound)});
  while (entries_.size() > max_bound_) entries_.pop_back();
  return entries_.front().plan.get();
}

}  // namespace tandem::engine
