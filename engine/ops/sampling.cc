#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> SamplingOps() { return {}; }

}  // namespace tandem::engine
