// What the admin service says of evidence, as messages.
#ifndef TANDEM_SERVER_ADMIN_EVIDENCE_MESSAGES_H_
#define TANDEM_SERVER_ADMIN_EVIDENCE_MESSAGES_H_

#include "proto/tandem/admin/v1/admin.pb.h"
#include "server/evidence/ledgers.h"
#include "server/evidence/summary.h"

namespace tandem::admin {

// `summary` is about `pair`.
v1::CompareResponse MessageOf(const evidence::Pair& pair, const evidence::Summary& summary);

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_EVIDENCE_MESSAGES_H_
