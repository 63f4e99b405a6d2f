// Histogram and Cell: counts that one thread writes and any thread reads, without locks or locked instructions.
//
// Every worker owns a shard of each metric and is its only writer; a scrape sums the shards. A reader may see a moment
// between two related writes, never a torn value.
#ifndef TANDEM_SERVER_METRICS_HISTOGRAM_H_
#define TANDEM_SERVER_METRICS_HISTOGRAM_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tandem::metrics {

// A counter with one writer.
class Cell {
 public:
  void Add(uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void Set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Buckets that double: bucket k counts values up to first * 2^k, the last one everything above.
template <uint64_t kFirst, size_t kBuckets>
class Histogram {
 public:
  static constexpr size_t kCount = kBuckets;
  // Upper bound of bucket k; meaningless for the last, which has none.
  static constexpr uint64_t Bound(size_t k) { return kFirst << k; }

  void Observe(uint64_t value) {
    const size_t bucket = value <= kFirst ? 0 : static_cast<size_t>(std::bit_width((value - 1) / kFirst));
    counts_[bucket < kBuckets ? bucket : kBuckets - 1].Add(1);
    sum_.Add(value);
  }

  struct Snapshot {
    std::array<uint64_t, kBuckets> counts{};
    uint64_t sum = 0;
    uint64_t count() const {
      uint64_t n = 0;
      for (uint64_t c : counts) n += c;
      return n;
    }
  };
  void AddTo(Snapshot& total) const {
    for (size_t k = 0; k < kBuckets; ++k) total.counts[k] += counts_[k].Get();
    total.sum += sum_.Get();
  }

 private:
  std::array<Cell, kBuckets> counts_;
  Cell sum_;
};

// Nanoseconds: 25 us to 26 s.
using LatencyHistogram = Histogram<25'000, 22>;
// Rows: 1 to 1024.
using BatchSizeHistogram = Histogram<1, 12>;

}  // namespace tandem::metrics

#endif  // TANDEM_SERVER_METRICS_HISTOGRAM_H_
