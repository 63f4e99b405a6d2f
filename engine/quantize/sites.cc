#include "engine/quantize/sites.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "absl/container/flat_hash_set.h"
#include "engine/post_op.h"

namespace tandem::engine {

bool IsDataMovement(const Node& node) {
  static const auto* const kNames = new absl::flat_hash_set<std::string>{
      "Concat",  "DepthToSpace", "Flatten",      "Gather", "MaxPool",
      "Reshape", "Slice",        "SpaceToDepth", "Split",  "Squeeze",
      "Tile",    "Transpose",    "Unsqueeze",    "Expand", "tandem.ChannelShuffle"};
  if (node.op == "Resize") return node.attributes.String("mode", "nearest") == "nearest";
  if (node.op == "MaxPool" && node.outputs.size() > 1) return false;
  return kNames->contains(node.op);
}

namespace {

class SiteFinder {
 public:
  SiteFinder(const Graph& graph, const std::vector<Layer>& layers, const std::vector<bool>& int8)
      : graph_(graph), consumers_(graph.Consumers()), is_site_(graph.num_values()), parent_(graph.num_values()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!int8[i]) continue;
      int8_nodes_.insert(layers[i].node);
      is_site_[layers[i].input] = true;
    }
  }

  std::vector<SiteGroup> Run() {
    const auto order = graph_.TopologicalOrder();
    TANDEM_CHECK(order.ok(), "the graph was checked when it was made");
    // Consumers before producers: what leads to a site is found in one sweep.
    for (auto it = order->rbegin(); it != order->rend(); ++it) VisitBackwards(*graph_.node(*it));
    for (NodeId id : *order) ShareScale(*graph_.node(id));
    std::map<ValueId, SiteGroup> groups;
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      if (is_site_[id]) groups[Root(id)].values.push_back(id);
    }
    std::vector<SiteGroup> result;
    for (auto& [root, group] : groups) result.push_back(std::move(group));
    std::sort(result.begin(), result.end(),
              [](const SiteGroup& a, const SiteGroup& b) { return a.values[0] < b.values[0]; });
    return result;
  }

 private:
  ValueId Root(ValueId id) {
    while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
    return id;
  }

  // Float operands: shapes and indices of data-movement operators are none.
  bool IsData(ValueId id) const {
    return id != kNoValue && graph_.value(id).type == DataType::kFloat32 && !graph_.value(id).is_constant();
  }

  // Whether `id` leaves an int8 layer, activations that are fused into it included.
  bool ComesFromInt8(ValueId id) const {
    for (;;) {
      const NodeId producer = graph_.value(id).producer;
      if (producer == kNoNode) return false;
      if (int8_nodes_.contains(producer)) return true;
      const Node& node = *graph_.node(producer);
      const bool activation = AsPostOp(graph_, node).has_value() && consumers_[node.inputs[0]].size() == 1;
      if (!activation && node.op != "Add") return IsDataMovement(node) && is_site_[id];
      if (node.op == "Add") return IsSumOfInt8(node);
      id = node.inputs[0];
    }
  }

  bool IsSumOfInt8(const Node& add) const {
    return std::any_of(add.inputs.begin(), add.inputs.end(), [&](ValueId input) {
      const NodeId producer = graph_.value(input).producer;
      return producer != kNoNode && int8_nodes_.contains(producer);
    });
  }

  // Whether `id`, or what its one reader makes of it by an activation, is a site.
  bool LeadsToSite(ValueId id) const {
    for (;;) {
      if (is_site_[id]) return true;
      if (consumers_[id].size() != 1 || graph_.IsOutput(id)) return false;
      const Node& reader = *graph_.node(consumers_[id][0]);
      if (!AsPostOp(graph_, reader).has_value()) return false;
      id = reader.outputs[0];
    }
  }

  void VisitBackwards(const Node& node) {
    if (IsDataMovement(node)) {
      const bool wanted = std::any_of(node.outputs.begin(), node.outputs.end(),
                                      [&](ValueId id) { return id != kNoValue && is_site_[id]; });
      if (!wanted) return;
      const bool pays = std::any_of(node.inputs.begin(), node.inputs.end(),
                                    [&](ValueId id) { return IsData(id) && (is_site_[id] || MayComeFromInt8(id)); });
      if (!pays) return;
      for (ValueId id : node.inputs) {
        if (IsData(id)) is_site_[id] = true;
      }
      for (ValueId id : node.outputs) {
        if (id != kNoValue) is_site_[id] = true;
      }
      return;
    }
    if (node.op == "Add" && node.inputs.size() == 2 && LeadsToSite(node.outputs[0])) VisitSum(node);
  }

  // Through data movement that is not known to be a site yet.
  bool MayComeFromInt8(ValueId id) const {
    const NodeId producer = graph_.value(id).producer;
    if (producer == kNoNode) return false;
    const Node& node = *graph_.node(producer);
    if (!IsDataMovement(node)) return ComesFromInt8(id);
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId input) { return IsData(input) && (is_site_[input] || MayComeFromInt8(input)); });
  }

  // The first operand that leaves an int8 layer is added in that layer; the other one, if it is int8 too, is stored.
  void VisitSum(const Node& add) {
    const ValueId a = add.inputs[0], b = add.inputs[1];
    if (!IsData(a) || !IsData(b) || a == b || is_site_[a] || is_site_[b]) return;
    if (MayComeFromInt8(a) && MayComeFromInt8(b)) is_site_[b] = true;
  }

  void ShareScale(const Node& node) {
    if (!IsDataMovement(node) || !is_site_[node.outputs[0]]) return;
    for (ValueId id : node.inputs) {
      if (IsData(id) && is_site_[id]) parent_[Root(id)] = Root(node.outputs[0]);
    }
    for (ValueId id : node.outputs) {
      if (id != kNoValue && is_site_[id]) parent_[Root(id)] = Root(node.outputs[0]);
    }
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> consumers_;
  absl::flat_hash_set<NodeId> int8_nodes_;
  std::vector<bool> is_site_;
  std::vector<ValueId> parent_;
};

}  // namespace

std::vector<SiteGroup> FindSites(const Graph& graph, const std::vector<Layer>& layers, const std::vector<bool>& int8) {
  return SiteFinder(graph, layers, int8).Run();
}

std::vector<ValueId> PossibleSites(const Graph& graph, const std::vector<Layer>& layers) {
  std::vector<ValueId> sites;
  for (const SiteGroup& group : FindSites(graph, layers, std::vector<bool>(layers.size(), true))) {
    sites.insert(sites.end(), group.values.begin(), group.values.end());
  }
  // Which operand of a sum is stored depends on the layers around it.
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id) == nullptr || graph.node(id)->op != "Add") continue;
    for (ValueId input : graph.node(id)->inputs) {
      const Value& value = graph.value(input);
      if (value.type == DataType::kFloat32 && !value.is_constant()) sites.push_back(input);
    }
  }
  std::sort(sites.begin(), sites.end());
  sites.erase(std::unique(sites.begin(), sites.end()), sites.end());
  return sites;
}

}  // namespace tandem::engine
