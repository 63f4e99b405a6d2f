// FindCandidate: the version that the route of another one compares it with. A pure function of what is published.
//
// With a candidate a route is between two versions: the newest other version that serves answers requests that name
// neither a version nor a variant, and the candidate answers a share of them instead (split) or once more (shadow).
// Both do so in fp32, so that what differs is the versions and not their precision.
#ifndef TANDEM_SERVER_ROUTING_CANDIDATE_H_
#define TANDEM_SERVER_ROUTING_CANDIDATE_H_

#include "absl/status/statusor.h"
#include "server/models/registry.h"
#include "server/models/version.h"

namespace tandem::routing {

// The candidate beside `primary`, whose route is between versions. FAILED_PRECONDITION says why it takes no part:
// it is not there, is not published, is the only version that serves, or has other inputs or outputs, which are named.
absl::StatusOr<models::VersionHandle> FindCandidate(const models::Registry& registry, const models::Version& primary);

}  // namespace tandem::routing

#endif  // TANDEM_SERVER_ROUTING_CANDIDATE_H_
