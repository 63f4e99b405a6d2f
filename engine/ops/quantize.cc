#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> QuantizeOps() { return {}; }

}  // namespace tandem::engine
