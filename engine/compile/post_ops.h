// Post-ops: the elementwise operations that a fused node applies to its result.
#ifndef TANDEM_ENGINE_COMPILE_POST_OPS_H_
#define TANDEM_ENGINE_COMPILE_POST_OPS_H_

#include <vector>

#include "absl/status/status.h"
#include "engine/graph.h"
#include "engine/tensor.h"

namespace tandem::engine {

// Applies node's post-ops to `result` in place by the reference kernels of the operators they came from. `inputs` are
// all of the node's inputs, post-op operands included.
absl::Status ApplyPostOps(const Node& node, const std::vector<Tensor>& inputs, Tensor& result);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_POST_OPS_H_
