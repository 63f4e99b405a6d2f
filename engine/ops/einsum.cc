#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> EinsumOps() { return {}; }

}  // namespace tandem::engine
