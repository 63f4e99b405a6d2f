// Replay: a job as a request to the variant that has not answered it, which compares instead of answering anybody.
//
//   Replay replay(job);
//   RunBatch(session, *replay.queue, {&replay}, shard);     // or by way of a dispatcher
//   if (replay.comparison().ok()) ledger.Add(*replay.comparison());
#ifndef TANDEM_SERVER_SHADOW_REPLAY_H_
#define TANDEM_SERVER_SHADOW_REPLAY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/tensor.h"
#include "server/batching/request.h"
#include "server/evidence/comparison.h"
#include "server/shadow/job.h"

namespace tandem::shadow {

// The same for the same inputs within this process.
uint64_t HashOfInputs(const Job& job);

// Whether the variant that has not answered would take the request: one that shares batches wants the same number of
// rows of every input, which one that does not has not asked for.
bool MayReplay(const Job& job);

class Replay final : public batching::Request {
 public:
  // `job`, which may be replayed, must outlive it. `done` is called, last of all, by whoever answers.
  explicit Replay(const Job& job, std::function<void()> done = {});

  void Gather(int i, size_t offset, size_t size, void* destination) const override {
    job_.exchange->Gather(i, offset, size, destination);
  }
  // Counts itself nowhere: the clients' requests are counted there.
  void Answer(const absl::Status& status, const batching::Results* results, metrics::RequestTimes times,
              metrics::VersionMetrics::Shard& shard) override;

  // From now on what it takes is the time that this thread works on it, however often the thread is put off. For a
  // replay that is run by the calling thread, alone.
  void StartThreadClock();

  // Once it has been answered: what baseline and candidate said. The error of the variant that could not.
  const absl::StatusOr<evidence::Comparison>& comparison() const { return comparison_; }
  // The class that the other variant answered with, where there is one.
  std::optional<int64_t> other_answer() const { return other_answer_; }

 private:
  evidence::Comparison Compare(const batching::Results& results, Duration took);

  const Job& job_;
  const std::function<void()> done_;
  std::optional<Duration> thread_time_;  // when the clock was started
  absl::StatusOr<evidence::Comparison> comparison_;
  std::optional<int64_t> other_answer_;
};

// What a request was answered with: its rows of the outputs at `indexes`. Views, valid as long as the results.
std::vector<engine::Tensor> RowsOf(const batching::Results& results, absl::Span<const int> indexes);

// A request's share of the time that its batch took.
Duration ShareOf(const batching::Results& results, Duration batch);

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_REPLAY_H_
