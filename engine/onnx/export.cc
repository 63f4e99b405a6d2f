#include "engine/onnx/export.h"

#include <onnx/onnx_pb.h>

#include <limits>
#include <set>

#include "engine/onnx/node_writer.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr int kOpset = 21;
constexpr int kIrVersion = 10;

}  // namespace

absl::StatusOr<std::string> ExportOnnxBytes(const Graph& graph, const ExportOptions& options) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("tandem");
  for (const auto& [key, value] : options.metadata) {
    auto& property = *model.add_metadata_props();
    property.set_key(key);
    property.set_value(value);
  }
  NamePool names;
  std::set<std::string> domains;
  model.mutable_graph()->set_name("graph");
  TANDEM_RETURN_IF_ERROR(GraphWriter(graph, names, domains, *model.mutable_graph()).WriteModel());
  model.add_opset_import()->set_version(kOpset);
  for (const std::string& domain : domains) {
    auto& import = *model.add_opset_import();
    import.set_domain(domain);
    import.set_version(1);
  }
  if (model.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::UnimplementedError("the graph is larger than the 2 GiB that one ONNX file holds");
  }
  return model.SerializeAsString();
}

}  // namespace tandem::engine
