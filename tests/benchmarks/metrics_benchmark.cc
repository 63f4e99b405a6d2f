// What the metrics cost: observing a request and its batch, and a scrape of many models.
//
//   build/bin/metrics_benchmark
#include <benchmark/benchmark.h>

#include <string>

#include "server/metrics/exposition.h"
#include "server/metrics/version_metrics.h"

namespace {

using namespace tandem::metrics;
using std::chrono::microseconds;

// All that a request costs which runs alone. Each thread is a worker with its shard.
void ObserveRequest(benchmark::State& state) {
  static VersionMetrics metrics(8);
  VersionMetrics::Shard& shard = metrics.worker(state.thread_index());
  for (auto _ : state) {
    shard.BatchRan(1, microseconds(10), microseconds(1000));
    shard.RequestDone(absl::StatusCode::kOk,
                      {.queue = microseconds(20), .compute = microseconds(1010), .total = microseconds(1040)});
    shard.BatchAnswered(1, microseconds(5));
  }
}
BENCHMARK(ObserveRequest)->Threads(1)->Threads(2);

void Scrape(benchmark::State& state) {
  VersionMetrics metrics(2);
  metrics.worker(0).RequestDone(absl::StatusCode::kOk, {.total = microseconds(1040)});
  for (auto _ : state) {
    ServerSample sample;
    for (int64_t i = 0; i < state.range(0); ++i) {
      sample.versions.push_back(
          {.model = "model_" + std::to_string(i), .version = "1", .variant = "fp32", .totals = metrics.Sum()});
    }
    benchmark::DoNotOptimize(Serialize(Families(sample)));
  }
}
BENCHMARK(Scrape)->Arg(1)->Arg(200)->Unit(benchmark::kMillisecond);

}  // namespace
