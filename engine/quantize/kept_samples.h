// KeptSamples: samples in memory with what the float model makes of them, to compare one graph after the other with.
#ifndef TANDEM_ENGINE_QUANTIZE_KEPT_SAMPLES_H_
#define TANDEM_ENGINE_QUANTIZE_KEPT_SAMPLES_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph.h"
#include "engine/quantize/graph_runner.h"
#include "engine/quantize/judge.h"
#include "engine/quantize/samples.h"

namespace tandem::engine {

class KeptSamples {
 public:
  // Reads `indices` of `samples` and runs them through `exact`. `labels`: of all samples, or empty.
  static absl::StatusOr<KeptSamples> Read(GraphRunner& exact, Samples& samples, const std::vector<int64_t>& indices,
                                          const std::vector<int64_t>& labels);

  // What `quantized` makes of them, or of `most` of them, beside the float model. `yardstick` outlives the result.
  absl::StatusOr<Comparison> Compare(const Graph& quantized, const Yardstick& yardstick, int threads,
                                     int64_t most = std::numeric_limits<int64_t>::max()) const;

 private:
  struct Kept {
    std::vector<Tensor> inputs, outputs;
    int64_t label;
  };
  std::vector<Kept> kept_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_KEPT_SAMPLES_H_
