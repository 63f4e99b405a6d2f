// ONNX export: Graph -> ModelProto, a file that any runtime loads.
//
// Operators are written in the form of operator set 21. What only newer sets or the engine itself know is spelled out
// (Swish, tandem.ChannelShuffle, Softmax over flattened dimensions); an operator that cannot be is an error that names
// it. Inputs, outputs and their dimensions keep their names; other values are renamed where names are missing or used
// twice. Subgraphs refer to what they capture by its name again.
//
// Fused nodes (post-ops) belong to plans and are refused: export graphs that OptimizePlan has not seen.
#ifndef TANDEM_ENGINE_ONNX_EXPORT_H_
#define TANDEM_ENGINE_ONNX_EXPORT_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "engine/graph.h"

namespace tandem::engine {

struct ExportOptions {
  // Written into the file's metadata, beside the producer's name and version.
  std::map<std::string, std::string> metadata;
};

// The bytes of an ONNX file. Fails for files above 2 GB, which would need external data.
absl::StatusOr<std::string> ExportOnnxBytes(const Graph& graph, const ExportOptions& options = {});

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_EXPORT_H_
