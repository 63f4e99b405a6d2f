#include "engine/quantize/kept_samples.h"

#include <numeric>
#include <utility>

#include "engine/status.h"

namespace tandem::engine {

absl::StatusOr<KeptSamples> KeptSamples::Read(GraphRunner& exact, Samples& samples, const std::vector<int64_t>& indices,
                                              const std::vector<int64_t>& labels) {
  KeptSamples result;
  for (int64_t index : indices) {
    Kept kept{.inputs = {}, .outputs = {}, .label = labels.empty() ? -1 : labels[index]};
    TANDEM_ASSIGN_OR_RETURN(kept.inputs, samples.Read(index));
    TANDEM_ASSIGN_OR_RETURN(kept.outputs, exact.Run(kept.inputs));
    for (Tensor& output : kept.outputs) output = output.Clone();
    result.kept_.push_back(std::move(kept));
  }
  return result;
}

absl::StatusOr<Comparison> KeptSamples::Compare(const Graph& quantized, const Yardstick& yardstick, int threads,
                                                int64_t most) const {
  Comparison comparison(yardstick);
  GraphRunner runner(quantized, threads);
  std::vector<int64_t> all(kept_.size());
  std::iota(all.begin(), all.end(), int64_t{0});
  for (int64_t index : Spread(all, most)) {
    const Kept& kept = kept_[index];
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, runner.Run(kept.inputs));
    comparison.Add(kept.outputs, outputs, kept.label);
  }
  return comparison;
}

}  // namespace tandem::engine
