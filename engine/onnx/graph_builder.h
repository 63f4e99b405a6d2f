// Builds a Graph from a parsed ModelProto: scopes, captures, attributes, functions.
#ifndef TANDEM_ENGINE_ONNX_GRAPH_BUILDER_H_
#define TANDEM_ENGINE_ONNX_GRAPH_BUILDER_H_

#include <onnx/onnx_pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "engine/graph.h"

namespace tandem::engine {

// `directory` is where external data lie; empty refuses them.
absl::StatusOr<Graph> BuildGraph(const onnx::ModelProto& model, const std::string& directory);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_GRAPH_BUILDER_H_
