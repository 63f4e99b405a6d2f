// Reservoir: a bounded sample of a stream of requests, uniform over those that have passed (algorithm R: Vitter,
// "Random sampling with a reservoir", 1985) but for what is too large or has become too old.
//
// Decisions are functions of the seed, the sizes and the times that it is given. Belongs to one thread at a time.
#ifndef TANDEM_SERVER_TRAFFIC_RESERVOIR_H_
#define TANDEM_SERVER_TRAFFIC_RESERVOIR_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/tensor.h"
#include "server/sync/time.h"

namespace tandem::traffic {

struct ReservoirLimits {
  size_t samples = 0;
  size_t bytes = 0;
  Duration age = Duration::max();
};

// The inputs of one request, in the model's order.
using Inputs = std::vector<engine::Tensor>;

class Reservoir {
 public:
  Reservoir(const ReservoirLimits& limits, uint64_t seed) : limits_(limits), random_(seed) {}

  // Another request, whose inputs hold so many bytes; `copy` makes them when they are taken.
  void Offer(size_t bytes, Time now, absl::FunctionRef<Inputs()> copy);

  int64_t seen() const { return static_cast<int64_t>(seen_); }
  size_t size() const { return samples_.size(); }
  size_t bytes() const { return bytes_; }
  // Those that are not too old. It holds nothing afterwards.
  std::vector<Inputs> TakeAll(Time now);

 private:
  struct Sample {
    Inputs inputs;
    size_t bytes = 0;
    Time taken{};
  };

  void DropOld(Time now);

  const ReservoirLimits limits_;
  std::mt19937_64 random_;
  uint64_t seen_ = 0;
  size_t bytes_ = 0;
  Time oldest_ = Time::max();  // no sample was taken before
  std::vector<Sample> samples_;
};

}  // namespace tandem::traffic

#endif  // TANDEM_SERVER_TRAFFIC_RESERVOIR_H_
