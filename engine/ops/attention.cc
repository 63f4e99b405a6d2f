#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> AttentionOps() { return {}; }

}  // namespace tandem::engine
