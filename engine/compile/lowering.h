// Lowering: nodes -> oneDNN steps. One function a family; lowering.cc has the list of which operator goes where.
#ifndef TANDEM_ENGINE_COMPILE_LOWERING_H_
#define TANDEM_ENGINE_COMPILE_LOWERING_H_

#include "engine/compile/plan_builder.h"
#include "engine/graph.h"

namespace tandem::engine {

// Appends steps for `node` and defines its outputs, or returns false and has defined nothing: then the reference kernel
// takes it. May throw dnnl::error where oneDNN refuses, which means false too.
using LowerFunction = bool (*)(PlanBuilder& builder, const Node& node);

// The family functions.

// Lowers `node` by its family when there is one; false when the reference kernel must take it.
bool Lower(PlanBuilder& builder, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_LOWERING_H_
