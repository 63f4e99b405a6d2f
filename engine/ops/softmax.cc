#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> SoftmaxOps() { return {}; }

}  // namespace tandem::engine
