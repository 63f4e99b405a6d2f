#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> RnnOps() { return {}; }

}  // namespace tandem::engine
