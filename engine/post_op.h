// Which unary nodes can become post-ops.
#ifndef TANDEM_ENGINE_POST_OP_H_
#define TANDEM_ENGINE_POST_OP_H_

#include <optional>

#include "engine/graph.h"

namespace tandem::engine {

// `node`, an elementwise operator of one operand with constant parameters, as a post-op; nothing for other nodes.
std::optional<PostOp> AsPostOp(const Graph& graph, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_POST_OP_H_
