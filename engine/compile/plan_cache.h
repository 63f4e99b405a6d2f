// PlanCache: a graph and the plans compiled from it. BoundGraph: the same bound to one session's memory.
#ifndef TANDEM_ENGINE_COMPILE_PLAN_CACHE_H_
#define TANDEM_ENGINE_COMPILE_PLAN_CACHE_H_

#include <list>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/compile/packed_weights.h"
#include "engine/compile/plan.h"
#include "engine/graph.h"
#include "engine/mutex.h"

namespace tandem::engine {

// What all compilations of one model share.
struct CompileContext {
  std::shared_ptr<PackedWeights> weights;
  int max_plans = 32;  // kept by each cache
  // For tests: if not 0, no two buffers share bytes, and this many that no step may write lie behind each.
  size_t guard_bytes = 0;
};

// Safe to use from many threads. Compiles one plan at a time, so that a flood of new shapes slows only its senders.
class PlanCache {
 public:
  // `graph`: types of the inputs known.
  PlanCache(Graph graph, CompileContext context) : graph_(std::move(graph)), context_(std::move(context)) {}

  // The plan for these input shapes, compiled if need be. Errors name the node.
  absl::StatusOr<std::shared_ptr<const Plan>> Get(absl::Span<const Shape> shapes, int threads);

  const Graph& graph() const { return graph_; }

 private:
  struct Entry {
    std::vector<Shape> shapes;
    int threads;
    std::shared_ptr<const Plan> plan;
  };
  std::shared_ptr<const Plan> Find(absl::Span<const Shape> shapes, int threads) ABSL_LOCKS_EXCLUDED(mutex_);

  const Graph graph_;
  const CompileContext context_;
  Mutex compiling_;  // held while compiling; taken before mutex_
  Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // most recently used first
};

// Belongs to one thread.
class BoundGraph {
 public:
  // Plans run in `arena` from `offset` on.
  BoundGraph(std::shared_ptr<PlanCache> plans, Arena& arena, size_t offset, int threads, int max_bound = 16)
      : plans_(std::move(plans)), arena_(arena), offset_(offset), threads_(threads), max_bound_(max_bound) {}

  // The execution for these shapes; valid at least until the next call.
  absl::StatusOr<BoundPlan*> Prepare(absl::Span<const Shape> shapes);
  // The same when it is bound already, else null.
  BoundPlan* Find(absl::Span<const Shape> shapes);

  const PlanCache& plans() const { return *plans_; }

 private:
  struct Entry {
    std::vector<Shape> shapes;
    std::unique_ptr<BoundPlan> plan;
  };

  const std::shared_ptr<PlanCache> plans_;
  Arena& arena_;
  const size_t offset_;
  const int threads_;
  const size_t max_bound_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_PLAN_CACHE_H_
