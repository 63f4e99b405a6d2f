#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> NormalizationOps() { return {}; }

}  // namespace tandem::engine
