// Rewrites a freshly read node from the operator set of its file to the newest form, the only one the engine knows.
#ifndef TANDEM_ENGINE_ONNX_NORMALIZE_H_
#define TANDEM_ENGINE_ONNX_NORMALIZE_H_

#include "absl/status/status.h"
#include "engine/graph.h"

namespace tandem::engine {

// `opset` is the version of the default domain that the file imports. `node` is not in `graph` yet; constants and
// helper nodes that its new form needs are added there.
absl::Status NormalizeNode(int opset, Node& node, Graph& graph);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_NORMALIZE_H_
