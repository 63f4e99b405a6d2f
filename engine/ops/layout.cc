#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> LayoutOps() { return {}; }

}  // namespace tandem::engine
