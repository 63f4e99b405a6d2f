#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> ScatterOps() { return {}; }

}  // namespace tandem::engine
