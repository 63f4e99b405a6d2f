#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> LinalgOps() { return {}; }

}  // namespace tandem::engine
