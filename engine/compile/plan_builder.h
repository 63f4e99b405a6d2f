// PlanBuilder: what lowering works with. It knows where each value lies and in which layout, converts where a step
// needs another one, and lays out memory at the end.
//
// A value may lie in several layouts at once: the one its producer chose and copies that consumers asked for. A value
// that has a quantization lies as integers; whoever asks for real numbers gets a converted copy, so only lowerings that
// work on integers need to know.
#ifndef TANDEM_ENGINE_COMPILE_PLAN_BUILDER_H_
#define TANDEM_ENGINE_COMPILE_PLAN_BUILDER_H_

#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "dnnl.hpp"
#include "engine/compile/memory_plan.h"
#include "engine/compile/plan.h"
#include "engine/compile/plan_cache.h"
#include "engine/graph.h"

namespace tandem::engine {

// Bytes of one value in one layout.
struct Placement {
  BufferId buffer = kNoBuffer;
  dnnl::memory::desc desc;  // empty: row-major of a type or shape that oneDNN does not know
};

// A placement of real numbers (no quantization) or of the integers that stand for them.
struct StoredPlacement {
  Placement place;
  std::optional<Quantization> quantization;  // per tensor; looked at only where the type is not float32
};

class PlanBuilder {
 public:
  // `graph`: specialized for the shapes of one plan.
  PlanBuilder(const Graph& graph, const CompileContext& context, int threads);

  const Graph& graph() const { return graph_; }
  const Value& value(ValueId id) const { return graph_.value(id); }
  const Shape& shape(ValueId id) const { return *graph_.value(id).shape; }
  int threads() const { return plan_->threads; }

  // Whether oneDNN can hold the value: a type it knows, a known shape, elements, rank 1 to 6 (scalars count as [1]).
  bool FitsDnnl(ValueId id) const;
  // The value as oneDNN sees it when it lies row-major. Requires FitsDnnl.
  dnnl::memory::desc RowMajorOf(ValueId id) const;
  dnnl::memory::desc AnyOf(ValueId id) const;

  // The layout in which the value already lies (the one its producer chose); real numbers, whatever it is stored as.
  const Placement& Current(ValueId id);
  // The integers of a value that has a quantization, as they lie.
  const Placement& Stored(ValueId id) { return Front(id); }
  // Whether both values are stored as integers, and in the same way.
  bool StoredAlike(ValueId a, ValueId b) const {
    return value(a).quantization.has_value() && value(a).quantization == value(b).quantization &&
           graph_.ConstantOf(a) == nullptr;
  }
  // The value row-major; adds a conversion when it lies otherwise.
  BufferId Dense(ValueId id);
  // The value in layout and type `desc` (float32, or what its quantization says); adds a conversion when needed.
  // Constants are converted now, once for all plans.
  BufferId In(ValueId id, const dnnl::memory::desc& desc);
  // The value, which lies row-major and is seen as `from` (weights seen with groups, transposed, ...), in layout `to`.
  BufferId InAs(ValueId id, const dnnl::memory::desc& from, const dnnl::memory::desc& to);
  // The same for a constant, once for all plans.
  BufferId PackedConstant(const Tensor& tensor, const dnnl::memory::desc& from, const dnnl::memory::desc& to);
  // The bytes of a constant of this plan alone.
  BufferId Constant(const Tensor& tensor);

  BufferId NewBuffer(size_t bytes);
  // The bytes of `parent` from `offset` on. Views start there rather than in their descriptors, whose own offset some
  // of oneDNN's kernels overlook.
  BufferId PartOf(BufferId parent, size_t offset);
  // Says where a value lies once it is computed. The first call tells its current layout.
  void Define(ValueId id, Placement placement);
  // A buffer for the whole value, row-major or in `desc`, and its definition.
  BufferId DefineDense(ValueId id);
  BufferId DefineIn(ValueId id, const dnnl::memory::desc& desc);
  // Says that `id`, which has a quantization, is what lies at `origin` rounded to it. It is converted when a step needs
  // it, into the layout which that wants.
  void DefineRounded(ValueId id, StoredPlacement origin) { places_[id].origin = std::move(origin); }
  // The same for a value whose real numbers were defined by a lowering that knows nothing of its quantization: readers
  // see rounded ones from now on.
  void RoundDefined(ValueId id);

  // Appends a step that touches `buffers`: they are alive from the first step that touches them to the last.
  void AddStep(std::unique_ptr<Step> step, absl::Span<const BufferId> buffers);
  // A buffer of whole-plan scratch for a primitive; kNoBuffer when it needs none.
  BufferId Scratchpad(const dnnl::memory::desc& desc);

  int NewSlot() { return plan_->num_slots++; }
  void DefineSlot(ValueId id, int slot);
  Plan& plan() { return *plan_; }
  // Where a value leaves the plan from; adds the conversion to row-major. Not for values of the continuation.
  Source SourceOf(ValueId id);
  void KeepToEnd(BufferId buffer);

  // Lays out memory and hands the plan over.
  std::shared_ptr<const Plan> Finish();
  const CompileContext& context() const { return context_; }

 private:
  struct Place {
    std::vector<Placement> placements;      // the producer's first
    std::optional<StoredPlacement> origin;  // while `placements` is empty: what to round
    int slot = -1;
  };
  const Placement& Front(ValueId id);
  // The contents of a constant as elements of `type`: written out where it is stored as integers.
  const Tensor& ContentsOf(ValueId id, dnnl::memory::data_type type);
  BufferId AddConstantBuffer(std::shared_ptr<const void> bytes, size_t size);
  BufferId Convert(ValueId id, const dnnl::memory::desc& to);
  // The buffer that `id` is a part of, or itself: the one whose life counts.
  BufferId WholeOf(BufferId id) const;

  const Graph& graph_;
  const CompileContext& context_;
  std::unique_ptr<Plan> plan_;
  std::vector<Place> places_;      // by value
  std::vector<BufferLife> lives_;  // by buffer
  std::vector<BufferId> kept_;
  absl::flat_hash_map<ValueId, Tensor> written_out_;  // constants that are stored as integers, as real numbers
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_PLAN_BUILDER_H_
