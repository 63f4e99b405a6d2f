// ONNX import: ModelProto -> Graph, in the one form per operator that the engine knows.
//
// Older operator sets are rewritten to the newest form (normalize.h), float16 and bfloat16 become float32 (the graph's
// own inputs and outputs keep their type behind a Cast), Constant nodes become constants, what a subgraph captures
// becomes explicit inputs, and calls of functions that the file defines are expanded.
//
// Files are untrusted: every offset, size and name is checked, and errors name the tensor or node at fault.
#ifndef TANDEM_ENGINE_ONNX_IMPORT_H_
#define TANDEM_ENGINE_ONNX_IMPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/graph.h"

namespace tandem::engine {

// Reads the file at `path`; external data are looked up beside it and nowhere else.
absl::StatusOr<Graph> ImportOnnxFile(const std::string& path);

// The same from memory. `directory` is where external data lie; empty: external data are refused.
absl::StatusOr<Graph> ImportOnnxBytes(absl::string_view bytes, const std::string& directory);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_IMPORT_H_
