// Elementwise functions between two quantizations as tables of 256 entries.
#ifndef TANDEM_ENGINE_COMPILE_STORED_TABLE_H_
#define TANDEM_ENGINE_COMPILE_STORED_TABLE_H_

#include <optional>

#include "engine/compile/plan_builder.h"
#include "engine/kernels/table.h"

namespace tandem::engine {

// What `node` makes of each integer that its stored input may hold: an elementwise operator of one stored operand and
// constants of one element, its post-ops included, with a stored result of the same shape; nothing for other nodes.
// `x`: is set to the stored operand.
std::optional<kernels::Table> TableOf(const PlanBuilder& builder, const Node& node, ValueId& x);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_STORED_TABLE_H_
