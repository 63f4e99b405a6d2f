// CountNotCompared: takes what found no room in the shadow's queue into the evidence.
//
// Whoever answers a client must not wait for a lock of the evidence: such requests are counted beside the variant that
// answered, and moved from there by those who read the evidence or keep it. From any thread.
#ifndef TANDEM_SERVER_SHADOW_NOT_COMPARED_H_
#define TANDEM_SERVER_SHADOW_NOT_COMPARED_H_

#include "server/evidence/ledgers.h"
#include "server/models/registry.h"

namespace tandem::shadow {

// Of every version that is loaded; what belongs to no open ledger stays where it is.
void CountNotCompared(const models::Registry& registry, const evidence::Ledgers& ledgers);

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_NOT_COMPARED_H_
