#include "engine/compile/saturation.h"

#include "dnnl.hpp"

namespace tandem::engine {

bool PairsSaturate() {
  static const bool saturate = [] {
    const auto level = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto has = [level](dnnl::cpu_isa isa) {
      return (level & static_cast<unsigned>(isa)) == static_cast<unsigned>(isa);
    };
    return !has(dnnl::cpu_isa::avx2_vnni) && !has(dnnl::cpu_isa::avx512_core_vnni);
  }();
  return saturate;
}

bool MaySaturate(const Tensor& weights, int64_t summed_axis) {
  const auto values = weights.values<int8_t>();
  const int64_t length = weights.dim(summed_axis);
  const int64_t inner = NumElements(absl::MakeConstSpan(weights.shape()).subspan(summed_axis + 1));
  for (int64_t i = 0; i + inner < weights.num_elements(); ++i) {
    if (i / inner % length + 1 == length) continue;  // the last along the axis has no neighbour
    if (PairPasses<int>(values[i], values[i + inner])) return true;
  }
  return false;
}

}  // namespace tandem::engine
