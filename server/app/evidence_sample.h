// What the metrics say of evidence, routes and int8 siblings.
#ifndef TANDEM_SERVER_APP_EVIDENCE_SAMPLE_H_
#define TANDEM_SERVER_APP_EVIDENCE_SAMPLE_H_

#include "server/evidence/ledgers.h"
#include "server/metrics/exposition.h"
#include "server/models/version.h"

namespace tandem::app {

metrics::EvidenceSample SampleOf(const evidence::Pair& pair, const evidence::Summary& summary);

// Of a version whose int8 sibling has a report.
metrics::ArtifactSample SampleOf(const models::Version& version);

// Adds what the variants found no room for to what the ledgers count as dropped.
void CountNotCompared(metrics::ServerSample& sample);

// The share of requests that int8 answers when they ask for nothing.
double Int8WeightOf(const models::Version& version);

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_EVIDENCE_SAMPLE_H_
