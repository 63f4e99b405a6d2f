// Steps that run reference kernels and subgraphs.
#ifndef TANDEM_ENGINE_COMPILE_REFERENCE_STEP_H_
#define TANDEM_ENGINE_COMPILE_REFERENCE_STEP_H_

#include "absl/status/status.h"
#include "engine/compile/plan_builder.h"

namespace tandem::engine {

// Lowers `node` to its reference kernel. All outputs' shapes must be known.
absl::Status AddReferenceStep(PlanBuilder& builder, const Node& node);

// The same for a node whose outputs' shapes only a run can tell: they go into slots.
absl::Status AddDynamicStep(PlanBuilder& builder, const Node& node);

// If, Loop, Scan; outputs go into slots.
absl::Status AddControlFlowStep(PlanBuilder& builder, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_REFERENCE_STEP_H_
