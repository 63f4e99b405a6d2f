#include "engine/compile/dnnl_step.h"

#include <utility>

#include "engine/compile/dnnl_types.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

class BoundDnnlStep final : public BoundStep {
 public:
  BoundDnnlStep(dnnl::primitive primitive, const std::string& name) : primitive_(std::move(primitive)), name_(name) {}

  void AddArgument(int name, const dnnl::memory::desc& desc, void* address) {
    memories_.emplace_back(desc, DnnlEngine(), address);
    arguments_.push_back({name, memories_.back().get()});
  }

  absl::Status Run() override {
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(arguments_.size()), arguments_.data());
    if (status == dnnl_success) [[likely]]
      return absl::OkStatus();
    return absl::InternalError(absl::StrCat(name_, ": oneDNN fails with status ", static_cast<int>(status)));
  }

 private:
  const dnnl::primitive primitive_;
  const std::string& name_;  // the step's, which outlives its bindings
  dnnl::stream stream_{DnnlEngine()};
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

class DnnlStep final : public Step {
 public:
  DnnlStep(dnnl::primitive primitive, std::vector<DnnlArgument> arguments, std::string name)
      : primitive_(std::move(primitive)), arguments_(std::move(arguments)), name_(std::move(name)) {}

  std::unique_ptr<BoundStep> Bind(Binding& binding) const override {
    auto bound = std::make_unique<BoundDnnlStep>(primitive_, name_);
    for (const DnnlArgument& argument : arguments_) {
      bound->AddArgument(argument.name, argument.desc, binding.address(argument.buffer));
    }
    return bound;
  }

  std::string Description() const override { return name_; }

 private:
  const dnnl::primitive primitive_;
  const std::vector<DnnlArgument> arguments_;
  const std::string name_;
};

}  // namespace

void AddPrimitive(PlanBuilder& builder, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
                  std::vector<DnnlArgument> arguments, std::string name) {
  const BufferId scratch = builder.Scratchpad(scratchpad);
  if (scratch != kNoBuffer) arguments.push_back({DNNL_ARG_SCRATCHPAD, scratch, scratchpad});
  std::vector<BufferId> buffers;
  for (const DnnlArgument& argument : arguments) buffers.push_back(argument.buffer);
  builder.AddStep(std::make_unique<DnnlStep>(primitive, std::move(arguments), std::move(name)), buffers);
}

void AddReorder(PlanBuilder& builder, const Placement& from, const Placement& to, const std::string& name) {
  const dnnl::reorder::primitive_desc pd(DnnlEngine(), from.desc, DnnlEngine(), to.desc, PlanAttributes());
  AddPrimitive(builder, dnnl::reorder(pd), pd.scratchpad_desc(),
               {{DNNL_ARG_FROM, from.buffer, from.desc}, {DNNL_ARG_TO, to.buffer, to.desc}},
               absl::StrCat("reorder ", pd.impl_info_str(), " '", name, "'"));
}

void SetScale(PlanBuilder& builder, int name, float scale, dnnl::primitive_attr& attributes,
              std::vector<DnnlArgument>& arguments) {
  if (scale == 1) return;
  attributes.set_scales_mask(name, 0);
  arguments.push_back({DNNL_ARG_ATTR_SCALES | name, builder.Constant(Tensor::Of<float>({1}, {scale})),
                       RowMajor(dnnl::memory::data_type::f32, {1})});
}

void SetZeroPoint(PlanBuilder& builder, int name, int32_t zero_point, dnnl::primitive_attr& attributes,
                  std::vector<DnnlArgument>& arguments) {
  if (zero_point == 0) return;
  attributes.set_zero_points_mask(name, 0);
  arguments.push_back({DNNL_ARG_ATTR_ZERO_POINTS | name, builder.Constant(Tensor::Of<int32_t>({1}, {zero_point})),
                       RowMajor(dnnl::memory::data_type::s32, {1})});
}

dnnl::primitive_attr PlanAttributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
  return attributes;
}

}  // namespace tandem::engine
