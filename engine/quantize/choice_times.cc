#include "engine/quantize/choice_times.h"

#include <string>

#include "engine/status.h"

namespace tandem::engine {

namespace {

std::string ToText(const Choice& int8) {
  std::string text;
  for (const bool flag : int8) text += flag ? '1' : '0';
  return text;
}

}  // namespace

absl::StatusOr<std::vector<double>> ChoiceTimes::Layers(const Choice& int8) const {
  return book_.Get(absl::StrCat("layers ", ToText(int8)), int8.size(), [&] {
    const Graph named = WithLayerNames(bench_.graph(), bench_.layers());
    const Workbench named_bench(named, bench_.layers(), {}, {}, threads_);
    return TimeLayers(named_bench.GraphOf(built_, int8), int8.size(), inputs_, threads_);
  });
}

absl::StatusOr<PairTimes> ChoiceTimes::Runs(const Choice& first, const Choice& second) const {
  const std::string key = absl::StrCat("runs ", ToText(first), " ", ToText(second));
  TANDEM_ASSIGN_OR_RETURN(const TimeBook::Times times, book_.Get(key, 2, [&]() -> absl::StatusOr<TimeBook::Times> {
    GraphRunner one(bench_.GraphOf(built_, first), threads_), other(bench_.GraphOf(built_, second), threads_);
    TANDEM_ASSIGN_OR_RETURN(const PairTimes taken, TimeInTurns(one, other, inputs_));
    return TimeBook::Times{taken.first_ms, taken.second_ms};
  }));
  return PairTimes{times[0], times[1]};
}

}  // namespace tandem::engine
