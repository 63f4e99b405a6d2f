#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> PoolOps() { return {}; }

}  // namespace tandem::engine
