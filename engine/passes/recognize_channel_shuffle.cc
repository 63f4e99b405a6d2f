#include "engine/passes/rewrites.h"

namespace tandem::engine {

std::optional<Patch> RecognizeChannelShuffle(const Matcher& matcher, const Node& node) {
  if (node.op != "Reshape" || !node.post_ops.empty()) return std::nullopt;
  const Node* transpose = matcher.Producer(node.inputs[0], "Transpose");
  if (transpose == nullptr) return std::nullopt;
  const Node* split = matcher.Producer(transpose->inputs[0], "Reshape");
  if (split == nullptr) return std::nullopt;
  const std::optional<Shape>& from = matcher.value(split->inputs[0]).shape;
  const std::optional<Shape>& middle = matcher.value(split->outputs[0]).shape;
  const std::optional<Shape>& to = matcher.value(node.outputs[0]).shape;
  if (!from.has_value() || !middle.has_value() || from != to || from->size() < 3) return std::nullopt;
  if (middle->size() != from->size() + 1 || (*middle)[0] != (*from)[0]) return std::nullopt;
  const std::vector<int64_t> perm = transpose->attributes.Ints("perm");
  if (perm.size() != middle->size() || perm[0] != 0 || perm[1] != 2 || perm[2] != 1) return std::nullopt;
  for (size_t i = 3; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i) || (*middle)[i] != (*from)[i - 1]) return std::nullopt;
  }
  if ((*middle)[1] * (*middle)[2] != (*from)[1]) return std::nullopt;
  Node shuffle;
  shuffle.op = "tandem.ChannelShuffle";
  shuffle.name = node.name;
  shuffle.inputs = {split->inputs[0]};
  shuffle.attributes.Set("groups", (*middle)[1]);
  return ReplaceNode(matcher, node, std::move(shuffle));
}

}  // namespace tandem::engine
