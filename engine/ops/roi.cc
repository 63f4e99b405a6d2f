#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> RoiOps() { return {}; }

}  // namespace tandem::engine
