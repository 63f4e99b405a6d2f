#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> CastOps() { return {}; }

}  // namespace tandem::engine
