#include "engine/ops/families.h"

namespace tandem::engine {

absl::Span<const OpDef> SignalOps() { return {}; }

}  // namespace tandem::engine
