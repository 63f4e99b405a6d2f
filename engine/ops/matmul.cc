#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> MatmulOps() { return {}; }

}  // namespace tandem::engine
