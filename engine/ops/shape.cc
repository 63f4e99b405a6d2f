#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> ShapeOps() { return {}; }

}  // namespace tandem::engine
