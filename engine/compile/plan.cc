#include "engine/compile/plan.h"

#include <omp.h>

#include <cstring>

#include "engine/compile/plan_cache.h"
#include "engine/status.h"

namespace tandem::engine {

void* Binding::address(BufferId id) const {
  const Buffer& buffer = plan_.buffers[id];
  if (buffer.constant != nullptr) return const_cast<void*>(buffer.constant.get());
  if (buffer.parent != kNoBuffer) return static_cast<char*>(address(buffer.parent)) + buffer.offset;
  return arena_.base() + offset_ + buffer.offset;
}

// Here, where BoundGraph is complete.

BoundPlan::BoundPlan(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
BoundPlan::~BoundPlan() = default;

Tensor BoundPlan::Find(const Source& source, const Binding& binding) const {
  if (source.kind != Source::Kind::kBuffer) return {};
  return Tensor::View(source.type, source.shape, binding.address(source.index));
}

absl::StatusOr<std::unique_ptr<BoundPlan>> BoundPlan::Bind(std::shared_ptr<const Plan> plan, Arena& arena,
                                                           size_t offset) {
  TANDEM_RETURN_IF_ERROR(arena.Grow(offset + plan->arena_bytes));
  std::unique_ptr<BoundPlan> bound(new BoundPlan(std::move(plan)));
  const Plan& shared = *bound->plan_;
  bound->slots_.resize(shared.num_slots);
  Binding binding(shared, arena, offset, bound->slots_);
  for (const Source& input : shared.inputs) bound->inputs_.push_back(bound->Find(input, binding));
  for (const Source& output : shared.outputs) bound->outputs_.push_back(bound->Find(output, binding));
  for (const Source& input : shared.continuation_inputs) {
    bound->continuation_inputs_.push_back(bound->Find(input, binding));
  }
  for (const auto& step : shared.steps) bound->steps_.push_back(step->Bind(binding));
  if (shared.continuation != nullptr) {
    bound->continuation_ =
        std::make_unique<BoundGraph>(shared.continuation, arena, binding.end_offset(), shared.threads);
  }
  return bound;
}

absl::Status BoundPlan::Run() {
  omp_set_num_threads(plan_->threads);
  for (const auto& step : steps_) {
    if (absl::Status status = step->Run(); !status.ok()) [[unlikely]] {
      return status;
    }
  }
  if (plan_->num_slots == 0 && continuation_ == nullptr) return absl::OkStatus();
  return Continue();
}

absl::Status BoundPlan::Continue() {
  Execution* rest = nullptr;
  if (continuation_ != nullptr) {
    std::vector<Shape> shapes;
    for (size_t i = 0; i < continuation_inputs_.size(); ++i) {
      const Source& source = plan_->continuation_inputs[i];
      if (source.kind == Source::Kind::kSlot) continuation_inputs_[i] = slots_[source.index];
      shapes.push_back(continuation_inputs_[i].shape());
    }
    TANDEM_ASSIGN_OR_RETURN(rest, continuation_->Prepare(shapes));
    for (size_t i = 0; i < continuation_inputs_.size(); ++i) {
      const Tensor& from = continuation_inputs_[i];
      if (from.num_bytes() > 0) std::memcpy(rest->input(static_cast<int>(i)).data(), from.data(), from.num_bytes());
    }
    TANDEM_RETURN_IF_ERROR(rest->Run());
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Source& source = plan_->outputs[i];
    if (source.kind == Source::Kind::kSlot) outputs_[i] = slots_[source.index];
    if (source.kind == Source::Kind::kContinuation) outputs_[i] = rest->output(source.index);
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
