#include "server/batching/queue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tandem::batching {
namespace {

// How far behind the oldest request others of its shape are looked for: bounds the time under the dispatcher's lock
// when clients send many shapes.
constexpr size_t kLookAhead = 128;

}  // namespace

absl::Status Queue::Push(Request* request) {
  if (waiting_.size() >= options_.max_requests) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.name, ": the queue is full (", options_.max_requests, " requests wait)"));
  }
  waiting_.push_back(request);
  return absl::OkStatus();
}

bool Queue::Remove(const Request* request) {
  auto it = std::find(waiting_.begin(), waiting_.end(), request);
  if (it == waiting_.end()) return false;
  waiting_.erase(it);
  return true;
}

std::vector<Request*> Queue::Cut(int64_t max_rows) {
  std::vector<Request*> batch{waiting_.front()};
  waiting_.pop_front();
  int64_t rows = batch[0]->rows;
  // Usually all share one shape and the batch is a prefix; only what is skipped has to be put back.
  std::vector<Request*> skipped;
  for (size_t looked = 0; rows < max_rows && looked < kLookAhead && !waiting_.empty(); ++looked) {
    Request* next = waiting_.front();
    waiting_.pop_front();
    if (rows + next->rows <= max_rows && MayShareBatch(*batch[0], *next)) {
      batch.push_back(next);
      rows += next->rows;
    } else {
      skipped.push_back(next);
    }
  }
  waiting_.insert(waiting_.begin(), skipped.begin(), skipped.end());
  return batch;
}

QueueView Queue::View() const {
  const BatchLimits& limits = options_.batch;
  const Request& head = *waiting_.front();
  QueueView view{.rows = head.rows, .oldest = head.arrived, .service_time = service_time_, .limits = limits};
  const size_t end = std::min(waiting_.size(), kLookAhead + 1);
  for (size_t i = 1; i < end && view.rows < limits.max_rows; ++i) {
    const Request& next = *waiting_[i];
    if (view.rows + next.rows <= limits.max_rows && MayShareBatch(head, next)) view.rows += next.rows;
  }
  view.full = view.rows >= limits.max_rows;
  return view;
}

}  // namespace tandem::batching
