// Plan: a graph compiled for one set of input shapes and one thread count: a flat list of steps and a map of memory.
//
// A plan is immutable and shared; binding it to an arena gives a BoundPlan, which one thread runs. Steps are bound
// once: a run only walks the list. Where shapes depend on the data, the plan ends with what can be computed and a
// *continuation*: the rest of the graph, compiled when the shapes it needs are known.
#ifndef TANDEM_ENGINE_COMPILE_PLAN_H_
#define TANDEM_ENGINE_COMPILE_PLAN_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/compile/arena.h"
#include "engine/graph.h"
#include "engine/session.h"
#include "engine/tensor.h"

namespace tandem::engine {

using BufferId = int32_t;
inline constexpr BufferId kNoBuffer = -1;

class Binding;
class PlanCache;

// A step ready to run on one session's memory.
class BoundStep {
 public:
  virtual ~BoundStep() = default;
  virtual absl::Status Run() = 0;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual std::unique_ptr<BoundStep> Bind(Binding& binding) const = 0;
  // "convolution jit:avx512_core Conv 'name'": for profiles and messages.
  virtual std::string Description() const = 0;
};

// Memory of a plan: a part of the arena, a part of another buffer, or bytes that never change (weights).
struct Buffer {
  size_t bytes = 0;
  size_t offset = 0;  // in the arena, or in `parent`
  BufferId parent = kNoBuffer;
  std::shared_ptr<const void> constant;  // not null: these bytes instead
};

// Where a value that leaves a plan or enters its continuation is found.
struct Source {
  enum class Kind { kBuffer, kSlot, kContinuation };
  Kind kind = Kind::kBuffer;
  int index = 0;  // buffer, slot, or output of the continuation
  DataType type = DataType::kUndefined;
  Shape shape;  // of buffers
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<Source> inputs;  // all buffers
  std::vector<Source> outputs;
  int num_slots = 0;  // results whose shape only a run can tell
  size_t arena_bytes = 0;
  int threads = 1;

  std::shared_ptr<PlanCache> continuation;  // null when the plan is whole
  std::vector<Source> continuation_inputs;
};

// What steps see while they are bound.
class Binding {
 public:
  Binding(const Plan& plan, Arena& arena, size_t offset, std::vector<Tensor>& slots)
      : plan_(plan), arena_(arena), offset_(offset), slots_(slots) {}

  void* address(BufferId id) const;
  Tensor& slot(int index) { return slots_[index]; }
  int threads() const { return plan_.threads; }
  // For steps that run plans of their own: they take the arena behind this plan's part of it.
  Arena& arena() { return arena_; }
  size_t end_offset() const { return offset_ + plan_.arena_bytes; }

 private:
  const Plan& plan_;
  Arena& arena_;
  const size_t offset_;
  std::vector<Tensor>& slots_;
};

class BoundGraph;

class BoundPlan : public Execution {
 public:
  // `offset`: where in the arena the plan's part begins.
  static absl::StatusOr<std::unique_ptr<BoundPlan>> Bind(std::shared_ptr<const Plan> plan, Arena& arena, size_t offset);
  ~BoundPlan() override;

  Tensor& input(int i) override { return inputs_[i]; }
  absl::Status Run() override;
  const Tensor& output(int i) const override { return outputs_[i]; }

  const Plan& plan() const { return *plan_; }
  BoundStep& step(int i) { return *steps_[i]; }

 private:
  explicit BoundPlan(std::shared_ptr<const Plan> plan);
  absl::Status Continue();
  Tensor Find(const Source& source, const Binding& binding) const;

  const std::shared_ptr<const Plan> plan_;
  std::vector<Tensor> slots_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<std::unique_ptr<BoundStep>> steps_;
  std::vector<Tensor> continuation_inputs_;  // slots are looked up at each run
  std::unique_ptr<BoundGraph> continuation_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_PLAN_H_
