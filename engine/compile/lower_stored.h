// What the files of lowerings over stored integers share.
#ifndef TANDEM_ENGINE_COMPILE_LOWER_STORED_H_
#define TANDEM_ENGINE_COMPILE_LOWER_STORED_H_

#include "engine/compile/plan_builder.h"

namespace tandem::engine {

// Whether `id` is computed by the plan and stored as integers.
bool IsStoredValue(const PlanBuilder& builder, ValueId id);

// AveragePool, GlobalAveragePool, and ReduceMean over the spatial dimensions, of stored values.
bool LowerStoredAverage(PlanBuilder& builder, const Node& node);

// Linear Resize of the spatial dimensions of stored images.
bool LowerStoredResize(PlanBuilder& builder, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_LOWER_STORED_H_
