#include "engine/compile/lowering.h"

#include "absl/container/flat_hash_map.h"

namespace tandem::engine {

namespace {

const absl::flat_hash_map<absl::string_view, LowerFunction>& Lowerings() {
  static const auto* const table = new absl::flat_hash_map<absl::string_view, LowerFunction>{};
  return *table;
}

}  // namespace

bool Lower(PlanBuilder& builder, const Node& node) {
  const auto it = Lowerings().find(node.op);
  if (it == Lowerings().end()) return false;
  try {
    return it->second(builder, node);
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace tandem::engine
