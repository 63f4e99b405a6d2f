#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> SelectOps() { return {}; }

}  // namespace tandem::engine
