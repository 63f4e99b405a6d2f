// VersionMetrics: what one variant of one model version has done since it was loaded.
//
// Sharded: one belongs to the receiving thread, one to each worker, one to the wide executor, one to the timer; each
// has one writer. Sum() may be called from any thread.
#ifndef TANDEM_SERVER_METRICS_VERSION_METRICS_H_
#define TANDEM_SERVER_METRICS_VERSION_METRICS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/metrics/histogram.h"
#include "server/sync/time.h"

namespace tandem::metrics {

// Where a request's time went.
struct RequestTimes {
  Duration queue{0};
  Duration compute{0};  // gather, run and the writing of results, of the whole batch
  Duration gather{0};   // of that, gathering the inputs
  Duration total{0};
};

inline constexpr size_t kNumCodes = 17;      // absl::StatusCode is dense
inline constexpr size_t kMaxSizeStats = 65;  // batch sizes told apart in ModelStatistics; larger ones share the last

struct SizeTotals {
  uint64_t batches = 0;
  uint64_t gather_ns = 0, run_ns = 0, respond_ns = 0;
};

// Why a request that had reached its version was not run.
enum class Refusal {
  kQueueFull,
  kQueueBytes,  // those that wait hold all the memory that they may
  kDeadline,    // it could not have been answered before its deadline
  kExpired,     // its time to start had passed
};
inline constexpr const char* kRefusals[] = {"queue_full", "queue_bytes", "deadline", "expired"};
inline constexpr size_t kNumRefusals = std::size(kRefusals);

// The name of a status code that indexes an array.
std::string CodeName(size_t code);

struct VersionTotals {
  std::array<uint64_t, kNumCodes> codes{};
  std::array<uint64_t, kNumRefusals> refusals{};
  LatencyHistogram::Snapshot queue, compute, total;
  BatchSizeHistogram::Snapshot batch_rows;
  uint64_t wide_batches = 0;  // of those, the ones that ran on several cores
  uint64_t failed_ns = 0;
  uint64_t last_inference_ms = 0;  // since the epoch
  uint64_t arena_bytes = 0;        // that its largest plan needs
  std::array<SizeTotals, kMaxSizeStats> by_size{};
};

class VersionMetrics {
 public:
  explicit VersionMetrics(int workers);

  class alignas(64) Shard {
   public:
    void RequestDone(absl::StatusCode code, const RequestTimes& times);
    // A request refused before it was queued.
    void RequestRefused(absl::StatusCode code) { codes_[static_cast<size_t>(code)].Add(1); }
    // A batch has been computed; and then, its requests have been answered.
    void BatchRan(int64_t rows, Duration gather, Duration run);
    void BatchAnswered(int64_t rows, Duration respond);
    // A plan that needs so much scratch memory has been bound.
    void PlanBound(size_t bytes) { arena_bytes_.Set(std::max<uint64_t>(arena_bytes_.Get(), bytes)); }

   private:
    friend class VersionMetrics;
    void AddTo(VersionTotals& totals) const;

    struct SizeCells {
      Cell batches, gather_ns, run_ns, respond_ns;
    };
    SizeCells& OfSize(int64_t rows) { return by_size_[std::min<size_t>(static_cast<size_t>(rows), kMaxSizeStats - 1)]; }

    std::array<Cell, kNumCodes> codes_;
    LatencyHistogram queue_, compute_, total_;
    BatchSizeHistogram batch_rows_;
    Cell failed_ns_, last_inference_ms_, arena_bytes_;
    std::array<SizeCells, kMaxSizeStats> by_size_;
  };

  Shard& receiver() { return *shards_[0]; }
  Shard& wide() { return *shards_[1]; }
  Shard& timer() { return *shards_[2]; }  // refuses what has waited too long
  Shard& worker(int w) { return *shards_[3 + w]; }
  // From any thread.
  void Refused(Refusal why) { refusals_[static_cast<size_t>(why)].fetch_add(1, std::memory_order_relaxed); }
  // A request that was chosen to be compared found no room. From any thread.
  void NotCompared() { not_compared_.fetch_add(1, std::memory_order_relaxed); }
  // How many did since this was last asked: whoever asks counts them.
  uint64_t TakeNotCompared() { return not_compared_.exchange(0, std::memory_order_relaxed); }
  VersionTotals Sum() const;
  void AddTo(VersionTotals& totals) const;

 private:
  std::vector<std::unique_ptr<Shard>> shards_;  // in the order of the functions above
  std::array<std::atomic<uint64_t>, kNumRefusals> refusals_{};
  std::atomic<uint64_t> not_compared_{0};
};

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_VERSION_METRICS_H_
