#include "engine/compile/specialize.h"
#include "engine/onnx/import.h"
#include "engine/ops/dims.h"
#include "engine/passes/pipelines.h"
#include "engine/quantize/quantizer.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

void CopySignature(const Value& from, Value& to) {
  to.name = from.name;
  if (from.shape.has_value()) {
    to.shape = from.shape;
    to.dim_names = from.dim_names;
  }
}

}  // namespace

absl::StatusOr<Graph> LoadQuantizable(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(Graph imported, ImportOnnxFile(path));
  TANDEM_RETURN_IF_ERROR(ExpandOperators(imported));
  std::vector<ValueInfo> inputs;
  for (ValueId id : imported.inputs()) {
    const Value& value = imported.value(id);
    const bool known = value.shape.has_value() && IsKnown(*value.shape);
    inputs.push_back({value.type, known ? value.shape : std::nullopt, {}});
  }
  absl::StatusOr<Graph> graph = Specialize(imported, inputs);
  if (!graph.ok()) return WithContext(graph.status(), path);
  TANDEM_RETURN_IF_ERROR(OptimizeModel(*graph));
  for (size_t i = 0; i < imported.inputs().size(); ++i) {
    CopySignature(imported.value(imported.inputs()[i]), graph->mutable_value(graph->inputs()[i]));
  }
  for (size_t i = 0; i < imported.outputs().size(); ++i) {
    CopySignature(imported.value(imported.outputs()[i]), graph->mutable_value(graph->outputs()[i]));
  }
  return graph;
}

}  // namespace tandem::engine
