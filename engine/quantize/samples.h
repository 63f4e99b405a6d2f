// Samples: inputs to calibrate and to judge with, one at a time, so that memory does not grow with their number.
#ifndef TANDEM_ENGINE_QUANTIZE_SAMPLES_H_
#define TANDEM_ENGINE_QUANTIZE_SAMPLES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/tensor.h"

namespace tandem::engine {

// Belongs to one thread.
class Samples {
 public:
  virtual ~Samples() = default;
  virtual int64_t size() const = 0;
  // One tensor an input of the model, in order. Fails when the sample cannot be read, does not fit the model or holds
  // numbers that are not finite. Reading in ascending order is fastest.
  virtual absl::StatusOr<std::vector<Tensor>> Read(int64_t index) = 0;
};

// Which samples calibrate and which judge; ascending. They overlap only when there is a single sample.
struct Split {
  std::vector<int64_t> calibration;
  std::vector<int64_t> judging;
};

// Half calibrates, at most `most_calibration`, drawn by `seed`; the rest judges, at most `most_judging`.
Split SplitSamples(int64_t count, uint64_t seed, int64_t most_calibration, int64_t most_judging);

// `count` of `from`, spread evenly.
std::vector<int64_t> Spread(const std::vector<int64_t>& from, int64_t count);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SAMPLES_H_
