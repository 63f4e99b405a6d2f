#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> ConvOps() { return {}; }

}  // namespace tandem::engine
