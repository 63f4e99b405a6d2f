// RunBatch: what a worker does with a batch: gather, run, answer.
#ifndef TANDEM_SERVER_SCHEDULING_RUN_BATCH_H_
#define TANDEM_SERVER_SCHEDULING_RUN_BATCH_H_

#include <vector>

#include "engine/session.h"
#include "server/batching/queue.h"
#include "server/batching/request.h"
#include "server/metrics/version_metrics.h"

namespace tandem::scheduling {

// What a batch cost.
struct Spent {
  Duration time{0};
  int64_t rows = 0;  // that were run
};

// Answers every request: those whose client has gone or whose deadline has passed without running them, the others
// with the results of one run. When that run fails and there are several, each is run alone, so that the data of one
// does not fail its neighbours.
Spent RunBatch(engine::Session& session, const batching::Queue& queue, std::vector<batching::Request*>& requests,
               metrics::VersionMetrics::Shard& shard);

// Refuses a request that waited, at `now`, for longer than it would.
void RefuseLate(batching::Request* request, Time now);

}  // namespace tandem::scheduling

#endif  // TANDEM_SERVER_SCHEDULING_RUN_BATCH_H_
