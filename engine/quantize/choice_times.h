// ChoiceTimes: what a choice of layers takes, measured or out of a book of times.
#ifndef TANDEM_ENGINE_QUANTIZE_CHOICE_TIMES_H_
#define TANDEM_ENGINE_QUANTIZE_CHOICE_TIMES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "engine/quantize/build.h"
#include "engine/quantize/time_book.h"
#include "engine/quantize/timing.h"

namespace tandem::engine {

// Which layers are in int8.
using Choice = std::vector<bool>;

class ChoiceTimes {
 public:
  // All outlive it.
  ChoiceTimes(const Workbench& bench, const Built& built, const std::vector<Tensor>& inputs, int threads,
              TimeBook& book)
      : bench_(bench), built_(built), inputs_(inputs), threads_(threads), book_(book) {}

  // Microseconds of each layer, with the conversions it needs.
  absl::StatusOr<std::vector<double>> Layers(const Choice& int8) const;
  // Milliseconds of whole runs of two choices, taken in turns.
  absl::StatusOr<PairTimes> Runs(const Choice& first, const Choice& second) const;

 private:
  const Workbench& bench_;
  const Built& built_;
  const std::vector<Tensor>& inputs_;
  const int threads_;
  TimeBook& book_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_CHOICE_TIMES_H_
