#include "engine/compile/plan_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/compile/dequantized.h"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/compile/kernel_step.h"

namespace tandem::engine {

PlanBuilder::PlanBuilder(const Graph& graph, const CompileContext& context, int threads)
    : graph_(graph), context_(context), plan_(std::make_unique<Plan>()), places_(graph.num_values()) {
  plan_->threads = threads;
  for (ValueId input : graph.inputs()) {
    const BufferId buffer = DefineDense(input);
    lives_[buffer].first = 0;
    lives_[buffer].last = 0;
    plan_->inputs.push_back({Source::Kind::kBuffer, buffer, value(input).type, shape(input)});
  }
}

bool PlanBuilder::FitsDnnl(ValueId id) const {
  const Value& value = graph_.value(id);
  return DnnlType(value.type).has_value() && value.shape.has_value() && value.shape->size() <= 6 &&
         NumElements(*value.shape) > 0;
}

dnnl::memory::desc PlanBuilder::RowMajorOf(ValueId id) const {
  return RowMajor(*DnnlType(value(id).type), DnnlDims(shape(id)));
}

dnnl::memory::desc PlanBuilder::AnyOf(ValueId id) const {
  return AnyLayout(*DnnlType(value(id).type), DnnlDims(shape(id)));
}

const Placement& PlanBuilder::Front(ValueId id) {
  Place& place = places_[id];
  if (place.placements.empty() && place.origin.has_value()) {
    In(id, WithType(place.origin->place.desc, *DnnlType(value(id).quantization->type)));
  } else if (place.placements.empty()) {
    const Tensor* constant = graph_.ConstantOf(id);
    TANDEM_CHECK(constant != nullptr, absl::StrCat("'", value(id).name, "' is read before it is computed"));
    const std::optional<dnnl::memory::data_type> type = DnnlType(constant->type());
    const bool fits = FitsDnnl(id) && type.has_value();
    place.placements.push_back(
        {Constant(*constant), fits ? RowMajor(*type, DnnlDims(constant->shape())) : dnnl::memory::desc()});
  }
  return place.placements.front();
}

const Placement& PlanBuilder::Current(ValueId id) {
  const Placement& front = Front(id);
  constexpr auto kReal = dnnl::memory::data_type::f32;
  if (!value(id).quantization.has_value() || front.desc.get_data_type() == kReal) return front;
  std::vector<Placement>& placements = places_[id].placements;
  for (const Placement& placement : placements) {
    if (placement.desc.get_data_type() == kReal) return placement;
  }
  In(id, WithType(front.desc, kReal));
  return placements.back();
}

BufferId PlanBuilder::Dense(ValueId id) { return FitsDnnl(id) ? In(id, RowMajorOf(id)) : Front(id).buffer; }

BufferId PlanBuilder::In(ValueId id, const dnnl::memory::desc& desc) {
  const bool is_real = desc.get_data_type() == dnnl::memory::data_type::f32;
  if (!places_[id].origin.has_value() || is_real) Front(id);
  for (const Placement& placement : places_[id].placements) {
    if (SameLayout(placement.desc, desc)) return placement.buffer;
  }
  BufferId buffer;
  if (graph_.ConstantOf(id) != nullptr) {
    const dnnl::memory::data_type type = desc.get_data_type();
    buffer = PackedConstant(ContentsOf(id, type), RowMajor(type, DnnlDims(shape(id))), desc);
  } else {
    buffer = Convert(id, desc);
  }
  places_[id].placements.push_back({buffer, desc});
  return buffer;
}

const Tensor& PlanBuilder::ContentsOf(ValueId id, dnnl::memory::data_type type) {
  const Tensor& constant = *graph_.ConstantOf(id);
  if (!value(id).quantization.has_value() || type != dnnl::memory::data_type::f32) return constant;
  Tensor& real = written_out_[id];
  if (!real.defined()) real = Dequantized(constant, *value(id).quantization);
  return real;
}

BufferId PlanBuilder::Convert(ValueId id, const dnnl::memory::desc& to) {
  const Place& place = places_[id];
  const std::optional<Quantization>& quantization = value(id).quantization;
  const bool rounds = place.placements.empty();
  const StoredPlacement from = rounds ? *place.origin : StoredPlacement{Front(id), quantization};
  const BufferId buffer = NewBuffer(to.get_size());
  AddConversion(*this, from, {{buffer, to}, quantization}, value(id).name);
  return buffer;
}

void PlanBuilder::RoundDefined(ValueId id) {
  Place& place = places_[id];
  if (!value(id).quantization.has_value() || place.placements.empty()) return;
  const Placement real = place.placements.front();
  if (real.desc.get_data_type() != dnnl::memory::data_type::f32) return;
  place.placements.clear();
  DefineRounded(id, {real, std::nullopt});
}

BufferId PlanBuilder::InAs(ValueId id, const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  if (graph_.ConstantOf(id) != nullptr) return PackedConstant(ContentsOf(id, from.get_data_type()), from, to);
  const BufferId dense = Dense(id);
  if (SameLayout(from, to)) return dense;
  const BufferId buffer = NewBuffer(to.get_size());
  AddReorder(*this, {dense, from}, {buffer, to}, value(id).name);
  return buffer;
}

BufferId PlanBuilder::PackedConstant(const Tensor& tensor, const dnnl::memory::desc& from,
                                     const dnnl::memory::desc& to) {
  return AddConstantBuffer(context_.weights->Get(tensor, from, to), to.get_size());
}

BufferId PlanBuilder::Constant(const Tensor& tensor) {
  auto kept = std::make_shared<Tensor>(tensor);
  return AddConstantBuffer({kept, kept->data()}, tensor.num_bytes());
}

BufferId PlanBuilder::AddConstantBuffer(std::shared_ptr<const void> bytes, size_t size) {
  const BufferId id = NewBuffer(size);
  plan_->buffers[id].constant = std::move(bytes);
  return id;
}

BufferId PlanBuilder::NewBuffer(size_t bytes) {
  Buffer buffer;
  buffer.bytes = bytes;
  plan_->buffers.push_back(std::move(buffer));
  BufferLife life;
  life.bytes = bytes;
  lives_.push_back(life);
  return static_cast<BufferId>(plan_->buffers.size() - 1);
}

BufferId PlanBuilder::PartOf(BufferId parent, size_t offset) {
  if (offset == 0) return parent;
  const BufferId id = NewBuffer(0);
  plan_->buffers[id].parent = parent;
  plan_->buffers[id].offset = offset;
  return id;
}

BufferId PlanBuilder::WholeOf(BufferId id) const {
  while (plan_->buffers[id].parent != kNoBuffer) id = plan_->buffers[id].parent;
  return id;
}

void PlanBuilder::Define(ValueId id, Placement placement) { places_[id].placements.push_back(std::move(placement)); }

BufferId PlanBuilder::DefineDense(ValueId id) {
  if (FitsDnnl(id)) return DefineIn(id, RowMajorOf(id));
  const BufferId buffer = NewBuffer(NumElements(shape(id)) * SizeOf(value(id).type));
  Define(id, {buffer, {}});
  return buffer;
}

BufferId PlanBuilder::DefineIn(ValueId id, const dnnl::memory::desc& desc) {
  const BufferId buffer = NewBuffer(desc.get_size());
  Define(id, {buffer, desc});
  return buffer;
}

void PlanBuilder::AddStep(std::unique_ptr<Step> step, absl::Span<const BufferId> buffers) {
  const int index = static_cast<int>(plan_->steps.size());
  for (BufferId id : buffers) {
    if (id == kNoBuffer) continue;
    BufferLife& life = lives_[WholeOf(id)];
    if (life.last < life.first) life.first = index;
    life.last = index;
  }
  plan_->steps.push_back(std::move(step));
}

BufferId PlanBuilder::Scratchpad(const dnnl::memory::desc& desc) {
  return desc.get_size() == 0 ? kNoBuffer : NewBuffer(desc.get_size());
}

void PlanBuilder::DefineSlot(ValueId id, int slot) { places_[id].slot = slot; }

Source PlanBuilder::SourceOf(ValueId id) {
  if (places_[id].slot >= 0) return {Source::Kind::kSlot, places_[id].slot, value(id).type, {}};
  const BufferId buffer = Dense(id);
  KeepToEnd(buffer);
  return {Source::Kind::kBuffer, buffer, value(id).type, shape(id)};
}

void PlanBuilder::KeepToEnd(BufferId buffer) { kept_.push_back(WholeOf(buffer)); }

std::shared_ptr<const Plan> PlanBuilder::Finish() {
  const int end = static_cast<int>(plan_->steps.size());
  for (BufferId buffer : kept_) {
    if (lives_[buffer].last < lives_[buffer].first) lives_[buffer].first = 0;
    lives_[buffer].last = end;
  }
  std::vector<BufferLife> in_arena = lives_;
  for (size_t i = 0; i < in_arena.size(); ++i) {
    if (plan_->buffers[i].constant != nullptr) in_arena[i] = BufferLife();
    if (context_.guard_bytes > 0 && in_arena[i].first <= in_arena[i].last) {
      in_arena[i] = {.bytes = in_arena[i].bytes + context_.guard_bytes, .first = 0, .last = end};
    }
  }
  const MemoryPlan memory = PlanMemory(in_arena);
  for (size_t i = 0; i < in_arena.size(); ++i) {
    if (plan_->buffers[i].parent == kNoBuffer) plan_->buffers[i].offset = memory.offsets[i];
  }
  plan_->arena_bytes = (memory.bytes + 4095) / 4096 * 4096;
  return std::move(plan_);
}

}  // namespace tandem::engine
