#include "server/scheduling/run_batch.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/status.h"

namespace tandem::scheduling {
namespace {

using batching::Queue;
using batching::Request;
using batching::Results;

int64_t TotalRows(absl::Span<Request* const> requests) {
  int64_t rows = 0;
  for (const Request* request : requests) rows += request->rows;
  return rows;
}

// Writes every request's rows of every input, one after the other, and zeros in the rows of padding.
void Gather(engine::Execution& run, absl::Span<Request* const> requests, int64_t padded_rows) {
  const int inputs = static_cast<int>(requests[0]->shapes.size());
  for (int i = 0; i < inputs; ++i) {
    engine::Tensor& tensor = run.input(i);
    if (requests.size() == 1 && padded_rows == requests[0]->rows) {
      requests[0]->Gather(i, tensor.data());
      continue;
    }
    char* to = static_cast<char*>(tensor.data());
    const size_t row_bytes = tensor.num_bytes() / static_cast<size_t>(padded_rows);
    for (const Request* request : requests) {
      request->Gather(i, to);
      to += row_bytes * static_cast<size_t>(request->rows);
    }
    std::memset(to, 0, static_cast<size_t>(static_cast<char*>(tensor.data()) + tensor.num_bytes() - to));
  }
}

// A result that is to be divided must have a row for each row of the inputs.
absl::Status CheckRows(const engine::Execution& run, int outputs, int64_t rows) {
  for (int i = 0; i < outputs; ++i) {
    const engine::Tensor& tensor = run.output(i);
    if (tensor.rank() == 0 || tensor.dim(0) != rows) {
      return absl::InternalError(
          absl::StrCat("output ", i, " of a batch of ", rows, " rows has shape ", engine::ToString(tensor.shape())));
    }
  }
  return absl::OkStatus();
}

// Runs `requests` as one batch and answers them when that went well.
absl::Status RunTogether(engine::Session& session, const Queue& queue, absl::Span<Request* const> requests,
                         Time started, metrics::VersionMetrics::Shard& shard) {
  const int64_t rows = TotalRows(requests);
  const int64_t padded = batching::SizeUp(rows, queue.options().batch.max_rows);
  std::vector<engine::Shape> batch_shapes;
  absl::Span<const engine::Shape> shapes = requests[0]->shapes;
  if (padded != requests[0]->rows) {
    batch_shapes = requests[0]->shapes;
    for (engine::Shape& shape : batch_shapes) shape[0] = padded;
    shapes = batch_shapes;
  }
  TANDEM_ASSIGN_OR_RETURN(engine::Execution * run, session.Prepare(queue.model(), shapes));
  Gather(*run, requests, padded);
  const Time gathered = Now();
  TANDEM_RETURN_IF_ERROR(run->Run());
  const Time ran = Now();
  const bool whole = requests.size() == 1 && padded == rows;
  if (!whole) {
    TANDEM_RETURN_IF_ERROR(CheckRows(*run, static_cast<int>(queue.model()->outputs().size()), padded));
  }
  shard.BatchRan(rows, gathered - started, ran - gathered);

  int64_t first_row = 0;
  for (Request* request : requests) {
    const Results results{.run = *run, .whole = whole, .first_row = first_row, .rows = request->rows};
    first_row += request->rows;
    request->Answer(absl::OkStatus(), &results,
                    {.queue = started - request->arrived, .compute = ran - started, .total = ran - request->arrived},
                    shard);
  }
  shard.BatchAnswered(rows, Now() - ran);
  return absl::OkStatus();
}

// OK when the request should still run.
absl::Status StillWanted(const Request& request, Time now) {
  if (request.cancelled.load(std::memory_order_relaxed)) return absl::CancelledError("the client has gone");
  if (request.deadline <= now) return absl::DeadlineExceededError("the deadline passed while the request waited");
  return absl::OkStatus();
}

void Refuse(Request* request, const absl::Status& status, Time now, metrics::VersionMetrics::Shard& shard) {
  request->Answer(status, nullptr, {.queue = now - request->arrived, .total = now - request->arrived}, shard);
}

}  // namespace

Duration RunBatch(engine::Session& session, const Queue& queue, std::vector<Request*>& requests,
                  metrics::VersionMetrics::Shard& shard) {
  const Time started = Now();
  std::erase_if(requests, [&](Request* request) {
    const absl::Status status = StillWanted(*request, started);
    if (!status.ok()) Refuse(request, status, started, shard);
    return !status.ok();
  });
  if (requests.empty()) return Now() - started;

  absl::Status status = RunTogether(session, queue, requests, started, shard);
  if (!status.ok() && requests.size() == 1) {
    Refuse(requests[0], engine::WithContext(status, queue.options().name), Now(), shard);
  } else if (!status.ok()) {
    for (Request* request : requests) {
      const absl::Status alone = RunTogether(session, queue, {&request, 1}, started, shard);
      if (!alone.ok()) Refuse(request, engine::WithContext(alone, queue.options().name), Now(), shard);
    }
  }
  return Now() - started;
}

}  // namespace tandem::scheduling
