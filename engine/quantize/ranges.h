// Ranges worth trying for one value, from the distribution of its elements.
#ifndef TANDEM_ENGINE_QUANTIZE_RANGES_H_
#define TANDEM_ENGINE_QUANTIZE_RANGES_H_

#include <string>
#include <vector>

#include "engine/quantize/histogram.h"

namespace tandem::engine {

struct RangeCandidate {
  const char* name;
  float low = 0;
  float high = 0;
};

// The extremes first, then percentiles, the least mean square error, and the least loss of information (Kullback and
// Leibler's divergence, as in Migacz, "8-bit inference with TensorRT", 2017).
std::vector<RangeCandidate> RangeCandidates(const Histogram& histogram);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_RANGES_H_
