#include "engine/quantize/node_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr size_t kMaxRunners = 4;

// Shapes, axes and the like: known contents make plans that know their shapes.
bool IsParameter(const Tensor& tensor) { return !IsFloat(tensor.type()) && tensor.num_elements() <= 64; }

}  // namespace

NodeRunner::NodeRunner(const Graph& graph, const Node& node, int threads, const Tensor& weights)
    : graph_(graph), node_(node), threads_(threads), weights_(weights) {}

GraphRunner& NodeRunner::RunnerFor(const std::vector<Tensor>& inputs) {
  std::string key;
  for (const Tensor& input : inputs) {
    if (!input.defined() || !IsParameter(input)) continue;
    absl::StrAppend(&key, ToString(input.shape()), ":",
                    absl::string_view(static_cast<const char*>(input.data()), input.num_bytes()), ";");
  }
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->key != key) continue;
    entries_.splice(entries_.begin(), entries_, it);
    return *entries_.front().runner;
  }
  Graph one;
  Node node = node_;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    ValueId& input = node.inputs[i];
    if (input == kNoValue) continue;
    if (const Tensor* constant = graph_.ConstantOf(input)) {
      input = one.AddConstant("", i == 1 && weights_.defined() ? weights_ : *constant);
    } else if (IsParameter(inputs[i])) {
      input = one.AddConstant("", inputs[i]);
    } else {
      Value value;
      value.type = inputs[i].type();
      input = one.AddValue(std::move(value));
      one.AddInput(input);
    }
  }
  for (ValueId& output : node.outputs) output = one.AddValue({});
  const std::vector<ValueId> outputs = node.outputs;
  one.AddNode(std::move(node));
  for (ValueId output : outputs) one.AddOutput(output);
  entries_.push_front({std::move(key), std::make_unique<GraphRunner>(std::move(one), threads_)});
  if (entries_.size() > kMaxRunners) entries_.pop_back();
  return *entries_.front().runner;
}

absl::StatusOr<std::vector<Tensor>> NodeRunner::Run(const std::vector<Tensor>& inputs) {
  GraphRunner& runner = RunnerFor(inputs);
  std::vector<Tensor> variable;
  for (const Tensor& input : inputs) {
    if (input.defined() && !IsParameter(input)) variable.push_back(input);
  }
  auto outputs = runner.Run(variable);
  if (!outputs.ok()) return WithContext(outputs.status(), Describe(node_));
  for (Tensor& output : *outputs) output = output.Clone();
  return outputs;
}

}  // namespace tandem::engine
