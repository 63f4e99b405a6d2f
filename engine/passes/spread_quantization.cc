// Elements that are only moved can be moved as the integers they are stored as, on either side of the move.
#include <algorithm>

#include "engine/passes/quantized.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

using Stored = std::optional<Quantization>;

bool CanStore(const Matcher& matcher, ValueId id) {
  const Value& value = matcher.value(id);
  return IsStorable(value) && value.producer != kNoNode && !value.quantization.has_value();
}

// What all of `ids` are stored as, or nothing.
Stored Common(const Matcher& matcher, const std::vector<ValueId>& ids) {
  const auto stored = [&](ValueId id) {
    return id == kNoValue || matcher.value(id).is_constant() ? std::nullopt : matcher.value(id).quantization;
  };
  const Stored first = stored(ids[0]);
  const bool all = std::all_of(ids.begin(), ids.end(), [&](ValueId id) { return stored(id) == first; });
  return all ? first : std::nullopt;
}

}  // namespace

std::optional<Patch> SpreadQuantization(const Matcher& matcher, const Node& node) {
  const bool joins = node.op == "Concat" && node.post_ops.empty();
  if (!joins && !MovesElements(node)) return std::nullopt;
  const std::vector<ValueId> inputs = joins ? node.inputs : std::vector<ValueId>{node.inputs[0]};
  Patch patch(matcher.graph());
  bool changed = false;
  if (const Stored from = Common(matcher, inputs); from.has_value() && from->per_tensor()) {
    for (ValueId output : node.outputs) {
      if (output == kNoValue || !CanStore(matcher, output)) continue;
      patch.Store(output, *from);
      changed = true;
    }
  }
  if (const Stored to = Common(matcher, node.outputs); !changed && to.has_value()) {
    for (ValueId input : inputs) {
      if (!CanStore(matcher, input) || !matcher.HasOneReader(input)) continue;
      patch.Store(input, *to);
      changed = true;
    }
  }
  if (!changed) return std::nullopt;
  return patch;
}

}  // namespace tandem::engine
