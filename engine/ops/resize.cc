#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> ResizeOps() { return {}; }

}  // namespace tandem::engine
