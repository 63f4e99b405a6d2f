// Request: one client's call as the batcher sees it: shapes, a deadline, a way to fetch its inputs and to answer it.
//
// The transport derives from it; so do tests. Everything set before Submit is constant until the answer. A request
// accepted by a queue is answered exactly once; after Answer returns, or even while it runs, its owner may reuse it, so
// whoever answers touches it no more.
#ifndef TANDEM_SERVER_BATCHING_REQUEST_H_
#define TANDEM_SERVER_BATCHING_REQUEST_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "engine/tensor.h"
#include "server/metrics/version_metrics.h"
#include "server/sync/time.h"

namespace tandem::batching {

class Queue;

// Where a request finds its rows in the outputs of the batch it was part of.
struct Results {
  // One an output of the model.
  absl::Span<const engine::Tensor* const> outputs;
  // The whole output is the request's, whatever its shape; else rows [first_row, first_row + rows) along dimension 0.
  bool whole = true;
  int64_t first_row = 0;
  int64_t rows = 1;
};

class Request {
 public:
  virtual ~Request() = default;

  // Copies `size` bytes of input `i` (row-major and dense), from `offset`, to `destination`. Values that cannot be had
  // any more are zeros, for the sake of its neighbours in the batch, and Answer turns into an error.
  virtual void Gather(int i, size_t offset, size_t size, void* destination) const = 0;
  // Answers the client: with `results` when OK, else with `status`, for which results is null. Counts itself into
  // `shard`.
  virtual void Answer(const absl::Status& status, const Results* results, metrics::RequestTimes times,
                      metrics::VersionMetrics::Shard& shard) = 0;

  std::shared_ptr<Queue> queue;       // where it waits; keeps the version alive
  std::vector<engine::Shape> shapes;  // one an input of the model, in its order
  int64_t rows = 1;                   // the batch dimension of its inputs; 1 where the model's batch is not free
  size_t bytes = 0;                   // memory it holds while it waits
  Time arrived{};
  Time deadline = Time::max();
  // The client would rather be refused than wait in the queue for longer than until then.
  Time start_by = Time::max();
  // 1 is the highest and goes first, 0 the lowest; see PlaceOf.
  uint64_t priority = 0;
  // Set when the client has gone: it is dropped instead of run.
  std::atomic<bool> cancelled{false};
};

// Where a request stands in its queue: the one of the earliest place goes first. Each level of priority is worth a
// second of waiting, down to the tenth, which is also that of 0. So nobody starves: who has waited ten seconds yields
// to no newcomer.
inline Time PlaceOf(const Request& request) {
  constexpr uint64_t kLowest = 10;
  const uint64_t level = request.priority == 0 ? kLowest : std::min(request.priority, kLowest);
  return request.arrived + std::chrono::seconds(level);
}

// True when two requests for one model may run as one batch: the same shapes but for the first dimension.
inline bool MayShareBatch(const Request& a, const Request& b) {
  if (a.shapes.size() != b.shapes.size()) return false;
  for (size_t i = 0; i < a.shapes.size(); ++i) {
    const engine::Shape& x = a.shapes[i];
    const engine::Shape& y = b.shapes[i];
    if (x.size() != y.size()) return false;
    for (size_t d = 1; d < x.size(); ++d) {
      if (x[d] != y[d]) return false;
    }
  }
  return true;
}

}  // namespace tandem::batching

#endif  // TANDEM_SERVER_BATCHING_REQUEST_H_
