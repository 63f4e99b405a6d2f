// Compile: a graph and its input shapes -> a Plan.
#ifndef TANDEM_ENGINE_COMPILE_COMPILER_H_
#define TANDEM_ENGINE_COMPILE_COMPILER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/compile/plan.h"
#include "engine/compile/plan_cache.h"

namespace tandem::engine {

// Specializes `graph` for `shapes` (one an input, fully known), optimizes it, and lowers it to steps for `threads`
// threads. Errors name the node.
absl::StatusOr<std::shared_ptr<const Plan>> Compile(const Graph& graph, absl::Span<const Shape> shapes, int threads,
                                                    const CompileContext& context);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_COMPILER_H_
