#include "server/shadow/replay.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "server/batching/queue.h"

namespace tandem::shadow {
namespace {

using engine::Tensor;

Tensor RowsOfOne(const Tensor& output, const batching::Results& results) {
  if (results.whole) return output;
  const size_t row_bytes = output.num_bytes() / static_cast<size_t>(output.dim(0));
  engine::Shape shape = output.shape();
  shape[0] = results.rows;
  const char* first = static_cast<const char*>(output.data()) + row_bytes * static_cast<size_t>(results.first_row);
  return Tensor::View(output.type(), std::move(shape), const_cast<char*>(first));
}

Tensor CopyOf(const AnsweredOutput& answer, const char* bytes) {
  Tensor tensor(answer.type, answer.shape);
  if (tensor.num_bytes() > 0) std::memcpy(tensor.data(), bytes, tensor.num_bytes());
  return tensor;
}

Duration ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

uint64_t HashOfInputs(const Job& job) {
  uint64_t hash = 0;
  std::string bytes;
  for (size_t i = 0; i < job.shapes.size(); ++i) {
    const engine::DataType type = job.version->fp32->model->inputs()[i].type;
    bytes.resize(static_cast<size_t>(engine::NumElements(job.shapes[i])) * engine::SizeOf(type));
    job.exchange->Gather(static_cast<int>(i), 0, bytes.size(), bytes.data());
    hash = absl::HashOf(hash, job.shapes[i], bytes);
  }
  return hash;
}

bool MayReplay(const Job& job) {
  if (!job.other().shares_batch) return true;
  const int64_t rows = job.shapes[0].empty() ? 0 : job.shapes[0][0];
  return rows > 0 && std::all_of(job.shapes.begin(), job.shapes.end(),
                                 [&](const engine::Shape& shape) { return !shape.empty() && shape[0] == rows; });
}

std::vector<Tensor> RowsOf(const batching::Results& results, absl::Span<const int> indexes) {
  std::vector<Tensor> rows;
  for (int index : indexes) rows.push_back(RowsOfOne(*results.outputs[static_cast<size_t>(index)], results));
  return rows;
}

Duration ShareOf(const batching::Results& results, Duration batch) {
  if (results.whole || results.outputs.empty()) return batch;
  return batch * results.rows / results.outputs[0]->dim(0);
}

Replay::Replay(const Job& job, std::function<void()> done)
    : job_(job), done_(std::move(done)), comparison_(absl::UnknownError("not answered yet")) {
  const models::Variant& other = job.other();
  queue = std::shared_ptr<batching::Queue>(job.other_version(), other.queue.get());
  shapes = job.shapes;
  rows = other.shares_batch ? job.shapes[0][0] : 1;
  bytes = job.bytes;
  arrived = Now();
}

void Replay::Answer(const absl::Status& status, const batching::Results* results, metrics::RequestTimes times,
                    metrics::VersionMetrics::Shard&) {
  if (status.ok()) {
    const Duration took = thread_time_.has_value() ? ThreadTime() - *thread_time_ : ShareOf(*results, times.compute);
    comparison_ = Compare(*results, took);
  } else {
    comparison_ = status;
  }
  // The replay may end as soon as its owner is told.
  const std::function<void()> done = done_;
  if (done) done();
}

void Replay::StartThreadClock() { thread_time_ = ThreadTime(); }

evidence::Comparison Replay::Compare(const batching::Results& results, Duration took) {
  std::vector<int> indexes;
  std::vector<Tensor> first;
  for (size_t k = 0; k < job_.answers.size(); ++k) {
    indexes.push_back(job_.answers[k].output);
    first.push_back(CopyOf(job_.answers[k], job_.exchange->Answer(k)));
  }
  const std::vector<Tensor> second = RowsOf(results, indexes);
  other_answer_ = evidence::AnswerOf(second);
  const bool baseline_first = !job_.candidate_answered();
  evidence::Comparison comparison =
      baseline_first ? evidence::CompareOutputs(first, second) : evidence::CompareOutputs(second, first);
  comparison.baseline_time = baseline_first ? job_.took : took;
  comparison.candidate_time = baseline_first ? took : job_.took;
  return comparison;
}

}  // namespace tandem::shadow
