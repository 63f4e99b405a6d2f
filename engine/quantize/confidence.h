// Confidence bounds on means of a bounded number of judgements.
#ifndef TANDEM_ENGINE_QUANTIZE_CONFIDENCE_H_
#define TANDEM_ENGINE_QUANTIZE_CONFIDENCE_H_

#include <cstdint>
#include <vector>

namespace tandem::engine {

struct Bounds {
  double lower = 0, upper = 0;
};

// Of a probability after `hits` of `count` trials: the exact ones of Clopper and Pearson (1934), each side missed with
// a probability of at most 1 - confidence.
Bounds ClopperPearson(int64_t hits, int64_t count, double confidence);

// Of the difference of two probabilities, of which `first` and `second` of `count` trials came true: the exact bounds
// of each, with half of what may be missed.
Bounds DifferenceBounds(int64_t first, int64_t second, int64_t count, double confidence);

// Of the mean of numbers from [low, high]: all means against which a mixture of bets does not win 1 / (1 - confidence)
// times its stake (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024), each side
// missed with a probability of at most 1 - confidence.
Bounds BettingBounds(const std::vector<double>& values, double low, double high, double confidence);

// Of sum(numerators) / sum(denominators): the percentiles of 2,000 resamples (Efron 1979). Approximate; `seed` makes it
// repeatable.
Bounds BootstrapRatio(const std::vector<double>& numerators, const std::vector<double>& denominators, double confidence,
                      uint64_t seed);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_CONFIDENCE_H_
