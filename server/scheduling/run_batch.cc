#include "server/scheduling/run_batch.h"

#include <algorithm>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/status.h"

namespace tandem::scheduling {
namespace {

using batching::Queue;
using batching::Request;
using batching::Results;
using metrics::RequestTimes;

// Rows [first, first + rows) of a request's inputs.
struct Part {
  const Request* request = nullptr;
  int64_t first = 0;
  int64_t rows = 1;
};

// One run of the engine.
struct Ran {
  engine::Execution* run = nullptr;
  int64_t rows = 0;    // asked for
  int64_t padded = 0;  // run
  Duration gather{0};
  Time end{};
};

// Clients may send any byte for true; a bool in memory is 0 or 1.
void MakeBools(char* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) bytes[i] = bytes[i] != 0 ? 1 : 0;
}

// Writes every part's rows of every input, one after the other, and zeros in the rows of padding.
void Gather(engine::Execution& run, absl::Span<const Part> parts, int64_t padded_rows) {
  const int inputs = static_cast<int>(parts[0].request->shapes.size());
  for (int i = 0; i < inputs; ++i) {
    engine::Tensor& tensor = run.input(i);
    char* to = static_cast<char*>(tensor.data());
    char* const end = to + tensor.num_bytes();
    const size_t row_bytes = tensor.num_bytes() / static_cast<size_t>(padded_rows);
    for (const Part& part : parts) {
      const size_t size = row_bytes * static_cast<size_t>(part.rows);
      part.request->Gather(i, row_bytes * static_cast<size_t>(part.first), size, to);
      to += size;
    }
    std::memset(to, 0, static_cast<size_t>(end - to));
    if (tensor.type() == engine::DataType::kBool) MakeBools(static_cast<char*>(tensor.data()), tensor.num_bytes());
  }
}

absl::StatusOr<Ran> RunParts(engine::Session& session, const Queue& queue, absl::Span<const Part> parts) {
  const Time start = Now();
  Ran ran;
  for (const Part& part : parts) ran.rows += part.rows;
  ran.padded = batching::SizeUp(ran.rows, queue.options().batch.max_rows);
  const Request& first = *parts[0].request;
  std::vector<engine::Shape> batch_shapes;
  absl::Span<const engine::Shape> shapes = first.shapes;
  if (ran.padded != first.rows) {
    batch_shapes = first.shapes;
    for (engine::Shape& shape : batch_shapes) shape[0] = ran.padded;
    shapes = batch_shapes;
  }
  TANDEM_ASSIGN_OR_RETURN(ran.run, session.Prepare(queue.model(), shapes));
  Gather(*ran.run, parts, ran.padded);
  ran.gather = Now() - start;
  TANDEM_RETURN_IF_ERROR(ran.run->Run());
  ran.end = Now();
  return ran;
}

using Outputs = absl::InlinedVector<const engine::Tensor*, 4>;

Outputs OutputsOf(const engine::Execution& run, const Queue& queue) {
  Outputs outputs;
  for (size_t i = 0; i < queue.model()->outputs().size(); ++i) outputs.push_back(&run.output(static_cast<int>(i)));
  return outputs;
}

// A result that is to be divided must have a row for each row of the inputs.
absl::Status CheckRows(const Outputs& outputs, int64_t rows) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i]->rank() == 0 || outputs[i]->dim(0) != rows) {
      return absl::InternalError(absl::StrCat("output ", i, " of a batch of ", rows, " rows has shape ",
                                              engine::ToString(outputs[i]->shape())));
    }
  }
  return absl::OkStatus();
}

RequestTimes TimesOf(const Request& request, Time started, Time ended, Duration gather) {
  return {.queue = started - request.arrived,
          .compute = ended - started,
          .gather = gather,
          .total = ended - request.arrived};
}

// Runs `requests` as one batch and answers them when that went well.
absl::Status RunTogether(engine::Session& session, const Queue& queue, absl::Span<Request* const> requests,
                         Time started, metrics::VersionMetrics::Shard& shard) {
  absl::InlinedVector<Part, 16> parts;
  for (const Request* request : requests) parts.push_back({.request = request, .rows = request->rows});
  TANDEM_ASSIGN_OR_RETURN(const Ran ran, RunParts(session, queue, parts));
  const Outputs outputs = OutputsOf(*ran.run, queue);
  const bool whole = requests.size() == 1 && ran.padded == ran.rows;
  if (!whole) TANDEM_RETURN_IF_ERROR(CheckRows(outputs, ran.padded));
  shard.BatchRan(ran.rows, ran.gather, ran.end - started - ran.gather);

  int64_t first_row = 0;
  for (Request* request : requests) {
    const Results results{.outputs = outputs, .whole = whole, .first_row = first_row, .rows = request->rows};
    first_row += request->rows;
    request->Answer(absl::OkStatus(), &results, TimesOf(*request, started, ran.end, ran.gather), shard);
  }
  shard.BatchAnswered(ran.rows, Now() - ran.end);
  return absl::OkStatus();
}

// OK when the request should still run.
absl::Status StillWanted(const Request& request, Time now) {
  if (request.cancelled.load(std::memory_order_relaxed)) return absl::CancelledError("the client has gone");
  if (request.deadline <= now) return absl::DeadlineExceededError("the deadline passed while the request waited");
  return absl::OkStatus();
}

absl::Status MayStart(const Request& request, Time now) {
  if (request.start_by <= now) {
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - request.arrived);
    return absl::DeadlineExceededError(
        absl::StrCat("the request waited for ", waited.count(), " us, longer than its parameter \"timeout\" allows"));
  }
  return StillWanted(request, now);
}

// Copies the first `rows` rows of `part` to row `first` of `all`, which is made for `total` rows when it is new.
void CopyRows(const engine::Tensor& part, int64_t rows, int64_t first, int64_t total, engine::Tensor& all) {
  if (!all.defined()) {
    engine::Shape shape = part.shape();
    shape[0] = total;
    all = engine::Tensor(part.type(), shape);
  }
  const size_t row_bytes = part.num_bytes() / static_cast<size_t>(part.dim(0));
  std::memcpy(static_cast<char*>(all.data()) + row_bytes * static_cast<size_t>(first), part.data(),
              row_bytes * static_cast<size_t>(rows));
}

// Runs one request of more rows than a batch has, part by part, so that whatever a client sends, the plans and the
// memory of a worker stay those of the sizes that were warmed up.
absl::Status RunInParts(engine::Session& session, const Queue& queue, Request* request, Time started,
                        metrics::VersionMetrics::Shard& shard) {
  std::vector<engine::Tensor> all(queue.model()->outputs().size());
  Time ended = started;
  Duration gather{0};
  for (int64_t first = 0; first < request->rows; first += queue.options().batch.max_rows) {
    TANDEM_RETURN_IF_ERROR(StillWanted(*request, ended));
    const Part part{
        .request = request, .first = first, .rows = std::min(queue.options().batch.max_rows, request->rows - first)};
    TANDEM_ASSIGN_OR_RETURN(const Ran ran, RunParts(session, queue, {&part, 1}));
    const Outputs outputs = OutputsOf(*ran.run, queue);
    TANDEM_RETURN_IF_ERROR(CheckRows(outputs, ran.padded));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const engine::Tensor& output = *outputs[i];
      const bool fits = !all[i].defined() || std::equal(output.shape().begin() + 1, output.shape().end(),
                                                        all[i].shape().begin() + 1, all[i].shape().end());
      if (!fits) return absl::InternalError(absl::StrCat("output ", i, " changes its shape with the rows"));
      CopyRows(output, part.rows, first, request->rows, all[i]);
    }
    shard.BatchRan(part.rows, ran.gather, ran.end - ended - ran.gather);
    ended = ran.end;
    gather += ran.gather;
  }
  Outputs outputs;
  for (const engine::Tensor& tensor : all) outputs.push_back(&tensor);
  const Results results{.outputs = outputs, .rows = request->rows};
  request->Answer(absl::OkStatus(), &results, TimesOf(*request, started, ended, gather), shard);
  return absl::OkStatus();
}

absl::Status RunAlone(engine::Session& session, const Queue& queue, Request* request, Time started,
                      metrics::VersionMetrics::Shard& shard) {
  if (request->rows > queue.options().batch.max_rows) return RunInParts(session, queue, request, started, shard);
  return RunTogether(session, queue, {&request, 1}, started, shard);
}

void Refuse(Request* request, const absl::Status& status, Time now, metrics::VersionMetrics::Shard& shard) {
  request->Answer(status, nullptr, {.queue = now - request->arrived, .total = now - request->arrived}, shard);
}

// Refuses a request that was not run because of what MayStart said.
void RefuseUnstarted(Request* request, const absl::Status& status, Time now, metrics::VersionMetrics::Shard& shard) {
  if (absl::IsDeadlineExceeded(status)) request->queue->metrics().Refused(metrics::Refusal::kExpired);
  Refuse(request, status, now, shard);
}

Spent RunRequests(engine::Session& session, const Queue& queue, std::vector<Request*>& requests,
                  metrics::VersionMetrics::Shard& shard) {
  const Time started = Now();
  std::erase_if(requests, [&](Request* request) {
    const absl::Status status = MayStart(*request, started);
    if (status.ok()) return false;
    RefuseUnstarted(request, status, started, shard);
    return true;
  });
  Spent spent;
  for (const Request* request : requests) spent.rows += request->rows;
  if (requests.size() > 1 && RunTogether(session, queue, requests, started, shard).ok()) {
    spent.time = Now() - started;
    return spent;
  }
  for (Request* request : requests) {
    const absl::Status status = RunAlone(session, queue, request, started, shard);
    if (!status.ok()) Refuse(request, engine::WithContext(status, queue.options().name), Now(), shard);
  }
  spent.time = Now() - started;
  return spent;
}

}  // namespace

void RefuseLate(Request* request, Time now) {
  const std::shared_ptr<Queue> queue = request->queue;  // which the answer may let go
  RefuseUnstarted(request, MayStart(*request, now), now, queue->metrics().timer());
}

Spent RunBatch(engine::Session& session, const Queue& queue, std::vector<Request*>& requests,
               metrics::VersionMetrics::Shard& shard) {
  const Spent spent = RunRequests(session, queue, requests, shard);
  if (const size_t bytes = session.TakeBoundBytes(); bytes > 0) shard.PlanBound(bytes);
  return spent;
}

}  // namespace tandem::scheduling
