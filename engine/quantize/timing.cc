#include "engine/quantize/timing.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

using Clock = std::chrono::steady_clock;

double MicrosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

double Median(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

std::string LayerName(size_t layer) { return absl::StrCat("layer ", layer, "."); }

absl::StatusOr<double> TimeOnce(GraphRunner& runner, const std::vector<Tensor>& inputs) {
  TANDEM_ASSIGN_OR_RETURN(BoundPlan* const plan, runner.Prepare(inputs));
  const auto begin = Clock::now();
  TANDEM_RETURN_IF_ERROR(plan->Run());
  return MicrosecondsSince(begin);
}

}  // namespace

absl::StatusOr<PairTimes> TimeInTurns(GraphRunner& first, GraphRunner& second, const std::vector<Tensor>& inputs) {
  // Compiled, and memory touched.
  TANDEM_RETURN_IF_ERROR(TimeOnce(first, inputs).status());
  TANDEM_RETURN_IF_ERROR(TimeOnce(second, inputs).status());
  TANDEM_ASSIGN_OR_RETURN(const double once, TimeOnce(first, inputs));
  constexpr double kMicroseconds = 5e5;
  const int runs = std::clamp(static_cast<int>(kMicroseconds / std::max(once, 1.0)), 5, 401);
  std::vector<double> firsts, ratios;
  for (int run = 0; run < runs; ++run) {
    TANDEM_ASSIGN_OR_RETURN(const double a, TimeOnce(first, inputs));
    TANDEM_ASSIGN_OR_RETURN(const double b, TimeOnce(second, inputs));
    firsts.push_back(a);
    ratios.push_back(b / a);
  }
  const double first_ms = Median(firsts) / 1e3;
  return PairTimes{first_ms, first_ms * Median(ratios)};
}

Graph WithLayerNames(const Graph& graph, const std::vector<Layer>& layers) {
  Graph named = graph;
  for (size_t i = 0; i < layers.size(); ++i) {
    named.mutable_node(layers[i].node).name = LayerName(i);
    // Conversions are named for the value.
    named.mutable_value(layers[i].input).name = absl::StrCat("of ", LayerName(i));
  }
  return named;
}

absl::StatusOr<std::vector<double>> TimeLayers(const Graph& graph, size_t layers, const std::vector<Tensor>& inputs,
                                               int threads) {
  std::vector<double> result(layers, 0);
  GraphRunner runner(graph, threads);
  TANDEM_ASSIGN_OR_RETURN(BoundPlan* const plan, runner.Prepare(inputs));
  const auto& steps = plan->plan().steps;
  constexpr int kRuns = 21;
  std::vector<std::vector<double>> times(steps.size());
  for (int run = 0; run < kRuns; ++run) {
    TANDEM_RETURN_IF_ERROR(runner.Prepare(inputs).status());
    for (size_t i = 0; i < steps.size(); ++i) {
      const auto begin = Clock::now();
      TANDEM_RETURN_IF_ERROR(plan->step(static_cast<int>(i)).Run());
      times[i].push_back(MicrosecondsSince(begin));
    }
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string description = steps[i]->Description();
    for (size_t layer = 0; layer < layers; ++layer) {
      if (!absl::StrContains(description, LayerName(layer))) continue;
      result[layer] += Median(times[i]);
      break;
    }
  }
  return result;
}

}  // namespace tandem::engine
