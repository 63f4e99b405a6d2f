#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> ReduceOps() { return {}; }

}  // namespace tandem::engine
