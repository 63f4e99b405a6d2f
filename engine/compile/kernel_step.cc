#include "engine/compile/kernel_step.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/compile/dnnl_step.h"
#include "engine/compile/dnnl_types.h"
#include "engine/kernels/convert.h"
#include "engine/kernels/table.h"

namespace tandem::engine {

namespace {

using dnnl::memory;

class BoundKernelStep final : public BoundStep {
 public:
  BoundKernelStep(const KernelCall& run, std::vector<void*> addresses) : run_(run), addresses_(std::move(addresses)) {}

  absl::Status Run() override {
    run_(addresses_.data());
    return absl::OkStatus();
  }

 private:
  const KernelCall& run_;  // the step's, which outlives its bindings
  const std::vector<void*> addresses_;
};

class KernelStep final : public Step {
 public:
  KernelStep(std::vector<BufferId> buffers, KernelCall run, std::string name)
      : buffers_(std::move(buffers)), run_(std::move(run)), name_(std::move(name)) {}

  std::unique_ptr<BoundStep> Bind(Binding& binding) const override {
    std::vector<void*> addresses;
    for (BufferId buffer : buffers_) addresses.push_back(binding.address(buffer));
    return std::make_unique<BoundKernelStep>(run_, std::move(addresses));
  }

  std::string Description() const override { return name_; }

 private:
  const std::vector<BufferId> buffers_;
  const KernelCall run_;
  const std::string name_;
};

bool IsStored(const StoredPlacement& side) {
  return side.quantization.has_value() && side.place.desc.get_data_type() != memory::data_type::f32;
}

// The same values in a layout without gaps.
Placement Compacted(PlanBuilder& builder, const Placement& place, const std::string& name) {
  const memory::desc compact = Compact(place.desc);
  if (SameLayout(compact, place.desc)) return place;
  const Placement result{builder.NewBuffer(compact.get_size()), compact};
  AddReorder(builder, place, result, name);
  return result;
}

// Whether `to` has the channels of row-major `from` last: what images become for integer kernels.
bool PutsChannelsLast(const memory::desc& from, const memory::desc& to) {
  const memory::dims dims = from.get_dims();
  if (dims.size() < 3 || dims[1] == 1 || !SameLayout(from, RowMajor(from.get_data_type(), dims))) return false;
  return SameLayout(to, ChannelsLast(to.get_data_type(), dims));
}

void AddQuantization(PlanBuilder& builder, const Placement& from, const StoredPlacement& to, const std::string& name) {
  const kernels::Quantization quantization = ForKernels(*to.quantization);
  const kernels::Isa isa = KernelIsa();
  if (PutsChannelsLast(from.desc, to.place.desc)) {
    const memory::dims dims = from.desc.get_dims();
    const size_t images = dims[0], channels = dims[1], pixels = ElementsOf(from.desc) / (images * channels);
    const auto run = [=](void* const* at) {
      kernels::QuantizeToChannelsLast(isa, quantization, images, channels, pixels, Floats(at[0]), Bytes(at[1]));
    };
    AddKernel(builder, {from.buffer, to.place.buffer}, run, absl::StrCat("conversion channels last '", name, "'"));
    return;
  }
  const Placement real = Compacted(builder, from, name);
  const memory::desc desc = WithType(real.desc, to.place.desc.get_data_type());
  const bool there = SameLayout(desc, to.place.desc);
  const Placement stored{there ? to.place.buffer : builder.NewBuffer(desc.get_size()), desc};
  const size_t count = ElementsOf(desc);
  const auto run = [=](void* const* at) { kernels::Quantize(isa, quantization, count, Floats(at[0]), Bytes(at[1])); };
  AddKernel(builder, {real.buffer, stored.buffer}, run, absl::StrCat("conversion to integers '", name, "'"));
  if (!there) AddReorder(builder, stored, to.place, name);
}

void AddDequantization(PlanBuilder& builder, const StoredPlacement& from, const Placement& to,
                       const std::string& name) {
  // Bytes are moved cheaper than real numbers.
  const memory::desc desc = WithType(to.desc, from.place.desc.get_data_type());
  Placement stored = from.place;
  if (!SameLayout(stored.desc, desc)) {
    stored = {builder.NewBuffer(desc.get_size()), desc};
    AddReorder(builder, from.place, stored, name);
  }
  const kernels::Quantization quantization = ForKernels(*from.quantization);
  const kernels::Isa isa = KernelIsa();
  const size_t count = ElementsOf(desc);
  const auto run = [=](void* const* at) { kernels::Dequantize(isa, quantization, count, Bytes(at[0]), Floats(at[1])); };
  AddKernel(builder, {stored.buffer, to.buffer}, run, absl::StrCat("conversion to real numbers '", name, "'"));
}

void AddRequantization(PlanBuilder& builder, const StoredPlacement& from, const StoredPlacement& to,
                       const std::string& name) {
  const Placement source = Compacted(builder, from.place, name);
  const memory::desc desc = WithType(source.desc, to.place.desc.get_data_type());
  const bool there = SameLayout(desc, to.place.desc);
  const Placement stored{there ? to.place.buffer : builder.NewBuffer(desc.get_size()), desc};
  const kernels::Quantization before = ForKernels(*from.quantization), after = ForKernels(*to.quantization);
  const kernels::Isa isa = KernelIsa();
  const size_t count = ElementsOf(desc);
  const kernels::Table table = kernels::MakeTable(before, after, [](float real) { return real; });
  // Looking bytes up is the faster way only where registers can hold the table.
  const auto run = [=](void* const* at) {
    if (isa == kernels::Isa::kAvx512Vbmi) {
      kernels::Lookup(isa, table, count, Bytes(at[0]), Bytes(at[1]));
    } else {
      kernels::Requantize(isa, before, after, count, Bytes(at[0]), Bytes(at[1]));
    }
  };
  AddKernel(builder, {source.buffer, stored.buffer}, run, absl::StrCat("conversion of integers '", name, "'"));
  if (!there) AddReorder(builder, stored, to.place, name);
}

}  // namespace

size_t ElementsOf(const memory::desc& desc) { return desc.get_size() / memory::data_type_size(desc.get_data_type()); }

kernels::Isa KernelIsa() {
  using dnnl::cpu_isa;
  static const kernels::Isa isa = [] {
    const auto has = [effective = dnnl::get_effective_cpu_isa()](cpu_isa level) {
      return (static_cast<unsigned>(effective) & static_cast<unsigned>(level)) == static_cast<unsigned>(level);
    };
    // oneDNN has no level for VBMI, which came after VNNI.
    if (has(cpu_isa::avx512_core_vnni) && __builtin_cpu_supports("avx512vbmi")) return kernels::Isa::kAvx512Vbmi;
    if (has(cpu_isa::avx512_core)) return kernels::Isa::kAvx512;
    return has(cpu_isa::avx2) ? kernels::Isa::kAvx2 : kernels::Isa::kBaseline;
  }();
  return isa;
}

kernels::Quantization ForKernels(const Quantization& quantization) {
  return {quantization.type == DataType::kInt8 ? kernels::ByteType::kInt8 : kernels::ByteType::kUInt8,
          quantization.scale(), quantization.zero_point()};
}

std::optional<kernels::Activation> ActivationOf(const Node& node) {
  if (node.post_ops.empty()) return kernels::Activation::kNone;
  if (node.post_ops.size() == 1 && node.post_ops[0].op == "Relu") return kernels::Activation::kRelu;
  return std::nullopt;
}

void AddKernel(PlanBuilder& builder, std::vector<BufferId> buffers, KernelCall run, std::string name) {
  const std::vector<BufferId> touched = buffers;
  builder.AddStep(std::make_unique<KernelStep>(std::move(buffers), std::move(run), std::move(name)), touched);
}

void AddConversion(PlanBuilder& builder, const StoredPlacement& from, const StoredPlacement& to,
                   const std::string& name) {
  if (!IsStored(from) && IsStored(to)) return AddQuantization(builder, from.place, to, name);
  if (IsStored(from) && !IsStored(to)) return AddDequantization(builder, from, to.place, name);
  if (IsStored(from) && from.quantization != to.quantization) return AddRequantization(builder, from, to, name);
  AddReorder(builder, from.place, to.place, name);
}

}  // namespace tandem::engine
