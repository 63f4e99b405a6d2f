#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> BinaryOps() { return {}; }

}  // namespace tandem::engine
