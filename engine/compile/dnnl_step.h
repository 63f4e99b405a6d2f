// Steps that execute one oneDNN primitive.
#ifndef TANDEM_ENGINE_COMPILE_DNNL_STEP_H_
#define TANDEM_ENGINE_COMPILE_DNNL_STEP_H_

#include <string>
#include <vector>

#include "dnnl.hpp"
#include "engine/compile/plan_builder.h"

namespace tandem::engine {

struct DnnlArgument {
  int name;  // DNNL_ARG_...
  BufferId buffer;
  dnnl::memory::desc desc;
};

// Appends a step that executes `primitive` (created with a user scratchpad) on `arguments`; its scratchpad is added
// here. `name` is for profiles.
void AddPrimitive(PlanBuilder& builder, const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad,
                  std::vector<DnnlArgument> arguments, std::string name);

// Appends a conversion between two layouts of one value; types are the same, for oneDNN 3.2 errs where zero points meet
// a change of layout.
void AddReorder(PlanBuilder& builder, const Placement& from, const Placement& to, const std::string& name);

// Adds the scale and zero point of argument `name` (DNNL_ARG_SRC...) to attributes and arguments; what is 1 or 0 is
// left out.
void SetScale(PlanBuilder& builder, int name, float scale, dnnl::primitive_attr& attributes,
              std::vector<DnnlArgument>& arguments);
void SetZeroPoint(PlanBuilder& builder, int name, int32_t zero_point, dnnl::primitive_attr& attributes,
                  std::vector<DnnlArgument>& arguments);

// Attributes that every primitive of a plan has: strict fp32, scratchpad from the arena.
dnnl::primitive_attr PlanAttributes();

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_DNNL_STEP_H_
