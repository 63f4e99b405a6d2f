#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> GatherOps() { return {}; }

}  // namespace tandem::engine
