#include "server/batching/queue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tandem::batching {
namespace {

// How far behind the first request others of its shape are looked for: bounds the time under the dispatcher's lock
// when clients send many shapes.
constexpr size_t kLookAhead = 128;

Time LatestStart(const Request& request) { return std::min(request.start_by, request.deadline); }

bool IsImpatient(const Request& request) { return request.start_by != Time::max(); }

}  // namespace

Duration Queue::Promise(const Request& request, int cores, Duration beside) const {
  if (waiting_.empty() || row_time_.count() <= 0) return Duration{0};
  // What has priority does not wait for all the others.
  if (PlaceOf(request) < PlaceOf(*waiting_.back())) return Duration{0};
  // And what runs now has to end first.
  return (WaitingWork() + beside) / cores + row_time_ * (request.rows + 1);
}

const WideCost* Queue::CostWide(int64_t rows) const {
  const int64_t size = SizeUp(rows, options_.batch.max_rows);
  const auto it =
      std::find_if(options_.wide.begin(), options_.wide.end(), [&](const WideCost& c) { return c.rows == size; });
  return it == options_.wide.end() ? nullptr : &*it;
}

void Queue::Charge(Duration cost, int64_t rows) {
  service_time_ += cost;
  if (rows <= 0) return;
  // A run that compiled its plan first says little of the next ones.
  constexpr int kMemory = 8, kMostTimes = 4;
  const Duration row = cost / rows;
  row_time_ = row_time_.count() <= 0 ? row : row_time_ + (std::min(row, kMostTimes * row_time_) - row_time_) / kMemory;
}

absl::Status Queue::Push(Request* request) {
  if (waiting_.size() >= options_.max_requests) {
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.name, ": the queue is full (", options_.max_requests, " requests wait)"));
  }
  const auto precedes = [](const Request* a, const Request* b) { return PlaceOf(*a) < PlaceOf(*b); };
  // Nearly always at the end: nothing else is searched for then.
  const bool last = waiting_.empty() || !precedes(request, waiting_.back());
  waiting_.insert(last ? waiting_.end() : std::upper_bound(waiting_.begin(), waiting_.end(), request, precedes),
                  request);
  if (IsImpatient(*request)) ++impatient_;
  waiting_rows_ += request->rows;
  return absl::OkStatus();
}

bool Queue::Remove(const Request* request) {
  auto it = std::find(waiting_.begin(), waiting_.end(), request);
  if (it == waiting_.end()) return false;
  waiting_.erase(it);
  if (IsImpatient(*request)) --impatient_;
  waiting_rows_ -= request->rows;
  return true;
}

std::vector<Request*> Queue::TakeLate(Time now) {
  std::vector<Request*> late;
  if (impatient_ == 0) return late;
  std::erase_if(waiting_, [&](Request* request) {
    if (request->start_by > now) return false;
    late.push_back(request);
    waiting_rows_ -= request->rows;
    return true;
  });
  impatient_ -= late.size();
  return late;
}

Time Queue::NextLate() const {
  Time next = Time::max();
  if (impatient_ == 0) return next;
  for (const Request* request : waiting_) next = std::min(next, request->start_by);
  return next;
}

std::vector<Request*> Queue::Cut(int64_t max_rows, Time now) {
  std::vector<Request*> batch = TakeLate(now);
  if (waiting_.empty()) return batch;
  const Request& head = *waiting_.front();
  int64_t rows = 0;
  // Usually all share one shape and the batch is a prefix; only what is skipped has to be put back.
  std::vector<Request*> skipped;
  for (size_t looked = 0; rows < max_rows && looked <= kLookAhead && !waiting_.empty(); ++looked) {
    Request* next = waiting_.front();
    waiting_.pop_front();
    if (looked == 0 || (rows + next->rows <= max_rows && MayShareBatch(head, *next))) {
      batch.push_back(next);
      rows += next->rows;
      waiting_rows_ -= next->rows;
      if (IsImpatient(*next)) --impatient_;
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
  QueueView view{.rows = head.rows,
                 .oldest = head.arrived,
                 .latest = LatestStart(head),
                 .service_time = service_time_,
                 .limits = limits};
  const size_t end = std::min(waiting_.size(), kLookAhead + 1);
  for (size_t i = 1; i < end && view.rows < limits.max_rows; ++i) {
    const Request& next = *waiting_[i];
    view.oldest = std::min(view.oldest, next.arrived);
    view.latest = std::min(view.latest, LatestStart(next));
    if (view.rows + next.rows <= limits.max_rows && MayShareBatch(head, next)) view.rows += next.rows;
  }
  view.full = view.rows >= limits.max_rows;
  return view;
}

}  // namespace tandem::batching
