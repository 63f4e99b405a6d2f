// The search for mixed precision: which layers to leave in fp32 so that the loss is in bounds, at the least cost in
// time.
//
// Layers are ranked by the noise that each alone makes at the outputs for each microsecond that int8 saves there: what
// goes when one of many is left in fp32 is lost in what the others do by chance. Those that make much of the noise and
// little of the gain are left in fp32 anyway, or the first ones are: a layer in fp32 among others in int8 costs
// conversions on both its sides, a beginning in fp32 one, and maps are largest there. When that is not good enough, the
// shortest prefix of the ranking that suffices is found by bisection; then each of its layers is tried in int8 again.
// The number of evaluations is bounded by some forty.
#ifndef TANDEM_ENGINE_QUANTIZE_SEARCH_H_
#define TANDEM_ENGINE_QUANTIZE_SEARCH_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"

namespace tandem::engine {

// The loss of a choice by the metric.
using Evaluate = std::function<absl::StatusOr<double>(const std::vector<bool>& int8)>;

struct SearchProblem {
  std::vector<bool> int8;        // to begin with; layers are in the order in which they run
  std::vector<double> noise;     // by layer: what it makes alone, in a measure that adds up
  std::vector<double> saved_us;  // by layer; what int8 saves
  double target_loss = 0;
  // How much of the time that int8 saves in all may go for less noise, even if the target is met already.
  double spendable_share = 0.16;
  // Whether a choice that was made so really costs no more, conversions included.
  std::function<absl::StatusOr<bool>(const std::vector<bool>& int8)> is_affordable = [](const std::vector<bool>&) {
    return absl::StatusOr<bool>(true);
  };
  std::function<void(double)> progress = [](double) {};
};

struct SearchResult {
  std::vector<bool> int8;           // which layers are to be; none when nothing else is good enough
  std::vector<double> noise_share;  // by layer: how much of the noise it makes; of all layers 1, or 0 without noise
};

absl::StatusOr<SearchResult> SearchPrecision(const SearchProblem& problem, const Evaluate& evaluate);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SEARCH_H_
