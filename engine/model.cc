#include "engine/model.h"

#include <utility>

#include "absl/strings/match.h"
#include "engine/compile/specialize.h"
#include "engine/model_state.h"
#include "engine/onnx/import.h"
#include "engine/ops/dims.h"
#include "engine/passes/free_batch.h"
#include "engine/passes/pipelines.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

TensorSpec SpecOf(const Value& value) {
  TensorSpec spec;
  spec.name = value.name;
  spec.type = value.type;
  spec.has_rank = value.shape.has_value();
  spec.shape = value.shape.value_or(Shape{});
  spec.dim_names = value.dim_names;
  spec.dim_names.resize(spec.shape.size());
  return spec;
}

std::vector<TensorSpec> SpecsOf(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<TensorSpec> specs;
  for (ValueId id : ids) specs.push_back(SpecOf(graph.value(id)));
  return specs;
}

// What is known of the inputs before any request: their types, and the shapes of those without free dimensions.
std::vector<ValueInfo> DeclaredInputs(const Graph& graph) {
  std::vector<ValueInfo> infos;
  for (ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    const bool known = value.shape.has_value() && IsKnown(*value.shape);
    infos.push_back({value.type, known ? value.shape : std::nullopt, {}});
  }
  return infos;
}

size_t ConstantBytes(const Graph& graph) {
  size_t bytes = 0;
  for (ValueId id = 0; id < graph.num_values(); ++id) bytes += graph.value(id).constant.num_bytes();
  return bytes;
}

// QuantizeLinear, DequantizeLinear, QLinearConv, MatMulInteger and all others that carry quantization have it in their
// names.
bool HasQuantization(const Graph& graph) {
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node* const node = graph.node(id);
    if (node == nullptr) continue;
    for (absl::string_view part : {"quantize", "Quantize", "QLinear", "Integer"}) {
      if (absl::StrContains(node->op, part)) return true;
    }
  }
  return false;
}

}  // namespace

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::~Model() = default;

absl::StatusOr<std::shared_ptr<const Model>> Model::Load(const std::string& path, const ModelOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(Graph imported, ImportOnnxFile(path));
  const bool freed = options.free_batch && FreeBatch(imported);
  TANDEM_RETURN_IF_ERROR(ExpandOperators(imported));
  absl::StatusOr<Graph> known = Specialize(imported, DeclaredInputs(imported));
  if (!known.ok()) return WithContext(known.status(), path);
  TANDEM_RETURN_IF_ERROR(OptimizeModel(*known));
  auto state = std::make_unique<State>();
  state->inputs = SpecsOf(imported, imported.inputs());
  state->outputs = SpecsOf(imported, imported.outputs());
  for (size_t i = 0; i < state->outputs.size(); ++i) {
    const Value& value = known->value(known->outputs()[i]);
    TensorSpec& output = state->outputs[i];
    output.type = value.type;
    if (!output.has_rank && value.shape.has_value()) {
      output.has_rank = true;
      output.shape = *value.shape;
      output.dim_names.resize(output.shape.size());
    }
  }
  state->context.weights = std::make_shared<PackedWeights>();
  state->context.max_plans = options.max_plans;
  state->quantized = HasQuantization(imported);
  state->batch_was_freed = freed;
  state->constant_bytes = ConstantBytes(*known);
  state->plans = std::make_shared<PlanCache>(*std::move(known), state->context);
  return std::shared_ptr<const Model>(new Model(std::move(state)));
}

const std::vector<TensorSpec>& Model::inputs() const { return state_->inputs; }
const std::vector<TensorSpec>& Model::outputs() const { return state_->outputs; }
bool Model::quantized() const { return state_->quantized; }
bool Model::batch_was_freed() const { return state_->batch_was_freed; }
size_t Model::weight_bytes() const { return state_->constant_bytes + state_->context.weights->bytes(); }

bool Model::batch_is_free() const {
  std::string name;
  for (const auto* specs : {&state_->inputs, &state_->outputs}) {
    for (const TensorSpec& spec : *specs) {
      if (!spec.has_rank || spec.shape.empty() || spec.shape[0] != kUnknownDim) return false;
      const std::string& symbol = spec.dim_names[0];
      if (!name.empty() && !symbol.empty() && symbol != name) return false;
      if (!symbol.empty()) name = symbol;
    }
  }
  return !state_->inputs.empty();
}

absl::Status CheckInputShapes(const Model& model, absl::Span<const Shape> shapes) {
  const auto& specs = model.inputs();
  if (shapes.size() != specs.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model has ", specs.size(), " inputs; ", shapes.size(), " were given"));
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    const TensorSpec& spec = specs[i];
    const auto refuse = [&] {
      return absl::InvalidArgumentError(absl::StrCat("input '", spec.name, "' must have the shape ",
                                                     ToString(spec.shape), "; got ", ToString(shapes[i])));
    };
    if (!CheckDims(shapes[i]).ok()) return refuse();
    if (!spec.has_rank) continue;
    if (shapes[i].size() != spec.shape.size()) return refuse();
    for (size_t d = 0; d < spec.shape.size(); ++d) {
      if (spec.shape[d] != kUnknownDim && spec.shape[d] != shapes[i][d]) return refuse();
    }
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
