#include "server/metrics/version_metrics.h"

#include <chrono>

namespace tandem::metrics {

std::string CodeName(size_t code) { return absl::StatusCodeToString(static_cast<absl::StatusCode>(code)); }

VersionMetrics::VersionMetrics(int workers) {
  for (int i = 0; i < workers + 3; ++i) shards_.push_back(std::make_unique<Shard>());
}

void VersionMetrics::Shard::RequestDone(absl::StatusCode code, const RequestTimes& times) {
  codes_[static_cast<size_t>(code)].Add(1);
  if (code != absl::StatusCode::kOk) {
    failed_ns_.Add(static_cast<uint64_t>(times.total.count()));
    return;
  }
  queue_.Observe(static_cast<uint64_t>(times.queue.count()));
  compute_.Observe(static_cast<uint64_t>(times.compute.count()));
  total_.Observe(static_cast<uint64_t>(times.total.count()));
}

void VersionMetrics::Shard::BatchRan(int64_t rows, Duration gather, Duration run) {
  batch_rows_.Observe(static_cast<uint64_t>(rows));
  SizeCells& size = OfSize(rows);
  size.batches.Add(1);
  size.gather_ns.Add(static_cast<uint64_t>(gather.count()));
  size.run_ns.Add(static_cast<uint64_t>(run.count()));
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  last_inference_ms_.Set(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()));
}

void VersionMetrics::Shard::BatchAnswered(int64_t rows, Duration respond) {
  OfSize(rows).respond_ns.Add(static_cast<uint64_t>(respond.count()));
}

void VersionMetrics::Shard::AddTo(VersionTotals& totals) const {
  for (size_t i = 0; i < kNumCodes; ++i) totals.codes[i] += codes_[i].Get();
  queue_.AddTo(totals.queue);
  compute_.AddTo(totals.compute);
  total_.AddTo(totals.total);
  batch_rows_.AddTo(totals.batch_rows);
  totals.failed_ns += failed_ns_.Get();
  totals.last_inference_ms = std::max(totals.last_inference_ms, last_inference_ms_.Get());
  totals.arena_bytes = std::max(totals.arena_bytes, arena_bytes_.Get());
  for (size_t i = 0; i < kMaxSizeStats; ++i) {
    totals.by_size[i].batches += by_size_[i].batches.Get();
    totals.by_size[i].gather_ns += by_size_[i].gather_ns.Get();
    totals.by_size[i].run_ns += by_size_[i].run_ns.Get();
    totals.by_size[i].respond_ns += by_size_[i].respond_ns.Get();
  }
}

VersionTotals VersionMetrics::Sum() const {
  VersionTotals totals;
  AddTo(totals);
  return totals;
}

void VersionMetrics::AddTo(VersionTotals& totals) const {
  for (const auto& shard : shards_) shard->AddTo(totals);
  BatchSizeHistogram::Snapshot wide;
  shards_[1]->batch_rows_.AddTo(wide);
  totals.wide_batches += wide.count();
  for (size_t i = 0; i < kNumRefusals; ++i) totals.refusals[i] += refusals_[i].load(std::memory_order_relaxed);
}

}  // namespace tandem::metrics
