#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> SliceOps() { return {}; }

}  // namespace tandem::engine
