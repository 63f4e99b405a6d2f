#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> RandomOps() { return {}; }

}  // namespace tandem::engine
