#include "engine/graph.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tandem::engine {

ValueId Graph::AddValue(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::AddConstant(std::string name, Tensor tensor) {
  Value value;
  value.name = std::move(name);
  value.type = tensor.type();
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
  return AddValue(std::move(value));
}

NodeId Graph::AddNode(Node node) {
  const NodeId id = static_cast<NodeId>(nodes_.size());
  for (ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    TANDEM_CHECK(values_[output].producer == kNoNode && !values_[output].is_constant(), values_[output].name);
    values_[output].producer = id;
  }
  nodes_.emplace_back(std::move(node));
  return id;
}

void Graph::RemoveNode(NodeId id) {
  for (ValueId output : nodes_[id]->outputs) {
    if (output != kNoValue && values_[output].producer == id) values_[output].producer = kNoNode;
  }
  nodes_[id].reset();
}

void Graph::ReplaceUses(ValueId from, ValueId to) {
  for (std::optional<Node>& node : nodes_) {
    if (node.has_value()) std::replace(node->inputs.begin(), node->inputs.end(), from, to);
  }
  std::replace(outputs_.begin(), outputs_.end(), from, to);
}

void Graph::RemoveDead() {
  std::vector<int> uses(values_.size(), 0);
  for (ValueId output : outputs_) ++uses[output];
  for (const std::optional<Node>& node : nodes_) {
    if (!node.has_value()) continue;
    for (ValueId input : node->inputs) {
      if (input != kNoValue) ++uses[input];
    }
  }
  const auto is_dead = [&](const Node& node) {
    return std::all_of(node.outputs.begin(), node.outputs.end(),
                       [&](ValueId output) { return output == kNoValue || uses[output] == 0; });
  };
  std::vector<NodeId> pending;
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (nodes_[id].has_value() && is_dead(*nodes_[id])) pending.push_back(id);
  }
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (!nodes_[id].has_value()) continue;
    const std::vector<ValueId> inputs = nodes_[id]->inputs;
    RemoveNode(id);
    for (ValueId input : inputs) {
      if (input == kNoValue || --uses[input] > 0) continue;
      const NodeId producer = values_[input].producer;
      if (producer != kNoNode && is_dead(*nodes_[producer])) pending.push_back(producer);
    }
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    if (uses[i] == 0) values_[i].constant = Tensor();
  }
}

bool Graph::IsOutput(ValueId id) const { return std::find(outputs_.begin(), outputs_.end(), id) != outputs_.end(); }

const Tensor* Graph::ConstantOf(ValueId id) const {
  return id != kNoValue && values_[id].is_constant() ? &values_[id].constant : nullptr;
}

std::vector<std::vector<NodeId>> Graph::Consumers() const {
  std::vector<std::vector<NodeId>> consumers(values_.size());
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (!nodes_[id].has_value()) continue;
    for (ValueId input : nodes_[id]->inputs) {
      if (input != kNoValue) consumers[input].push_back(id);
    }
  }
  return consumers;
}

absl::StatusOr<std::vector<NodeId>> Graph::TopologicalOrder() const {
  // Kahn's algorithm, smallest id first among the ready ones kept in file order by the scan below.
  std::vector<int> missing(nodes_.size(), 0);
  std::vector<NodeId> order;
  const auto consumers = Consumers();
  size_t live = 0;
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (!nodes_[id].has_value()) continue;
    ++live;
    for (ValueId input : nodes_[id]->inputs) {
      if (input != kNoValue && values_[input].producer != kNoNode) ++missing[id];
    }
    if (missing[id] == 0) order.push_back(id);
  }
  for (size_t next = 0; next < order.size(); ++next) {
    for (ValueId output : nodes_[order[next]]->outputs) {
      if (output == kNoValue) continue;
      for (NodeId consumer : consumers[output]) {
        if (--missing[consumer] == 0) order.push_back(consumer);
      }
    }
  }
  if (order.size() < live) {
    for (NodeId id = 0; id < num_nodes(); ++id) {
      if (nodes_[id].has_value() && missing[id] > 0) {
        return absl::InvalidArgumentError(absl::StrCat("the graph has a cycle through ", Describe(*nodes_[id])));
      }
    }
  }
  return order;
}

absl::Status Graph::Validate() const {
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (!nodes_[id].has_value()) continue;
    const Node& node = *nodes_[id];
    for (ValueId input : node.inputs) {
      if (input == kNoValue) continue;
      if (input < 0 || input >= num_values()) {
        return absl::InternalError(absl::StrCat(Describe(node), " reads a value that does not exist"));
      }
      const Value& value = values_[input];
      const bool produced = value.producer != kNoNode || value.is_constant() ||
                            std::find(inputs_.begin(), inputs_.end(), input) != inputs_.end();
      if (!produced) {
        return absl::InvalidArgumentError(
            absl::StrCat(Describe(node), " reads '", value.name, "', which nothing produces"));
      }
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue && values_[output].producer != id) {
        return absl::InternalError(absl::StrCat(Describe(node), " is not the producer of its output"));
      }
    }
  }
  for (ValueId output : outputs_) {
    const Value& value = values_[output];
    if (value.producer == kNoNode && !value.is_constant() &&
        std::find(inputs_.begin(), inputs_.end(), output) == inputs_.end()) {
      return absl::InvalidArgumentError(absl::StrCat("nothing produces the output '", value.name, "'"));
    }
  }
  return TopologicalOrder().status();
}

std::string Describe(const Node& node) {
  return node.name.empty() ? node.op : absl::StrCat(node.op, " '", node.name, "'");
}

}  // namespace tandem::engine
