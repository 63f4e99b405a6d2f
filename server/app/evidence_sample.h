// What the metrics say of evidence, routes and int8 siblings.
#ifndef TANDEM_SERVER_APP_EVIDENCE_SAMPLE_H_
#define TANDEM_SERVER_APP_EVIDENCE_SAMPLE_H_

#include "server/evidence/ledgers.h"
#include "server/metrics/exposition.h"
#include "server/models/registry.h"
#include "server/models/version.h"

namespace tandem::app {

metrics::EvidenceSample SampleOf(const evidence::Pair& pair, const evidence::Summary& summary);

// Of a version whose int8 sibling has a report.
metrics::ArtifactSample SampleOf(const models::Version& version);

// The share of a model's requests that name no version and no variant which `version` answers by a route between
// versions; 1 by other routes.
double ShareOf(const models::Registry& registry, const models::Version& version);

// The share of requests that int8 answers when they ask for nothing.
double Int8WeightOf(const models::Version& version);

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_EVIDENCE_SAMPLE_H_
