// tandem-model evaluate.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>

#include "engine/quantize/graph_runner.h"
#include "engine/quantize/judge.h"
#include "engine/quantize/quantizer.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/npz_samples.h"
#include "engine/tool/progress.h"
#include "engine/tool/scores.h"

namespace tandem::engine {

namespace {

// Whether the answers of `b` can be held against those of `a`, for the same inputs.
absl::Status CheckComparable(const Graph& a, const Graph& b) {
  const std::vector<TensorSpec> inputs = InputSpecs(a), others = InputSpecs(b);
  const bool same = inputs.size() == others.size() &&
                    std::equal(inputs.begin(), inputs.end(), others.begin(), [](const auto& one, const auto& other) {
                      return one.name == other.name && one.type == other.type;
                    });
  if (!same) return absl::InvalidArgumentError("its inputs are not those of the first model");
  if (a.outputs().size() != b.outputs().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", b.outputs().size(), " outputs, the first model ", a.outputs().size()));
  }
  for (size_t i = 0; i < a.outputs().size(); ++i) {
    const Value &one = a.value(a.outputs()[i]), &other = b.value(b.outputs()[i]);
    if (one.type == other.type) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("its output ", i, " is ", NameOf(other.type), ", that of the first model ", NameOf(one.type)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Graph>> LoadGraphs(const EvaluateOptions& options) {
  std::vector<Graph> graphs;
  TANDEM_ASSIGN_OR_RETURN(Graph first, LoadQuantizable(options.model));
  graphs.push_back(std::move(first));
  for (const std::string& file : options.others) {
    TANDEM_ASSIGN_OR_RETURN(Graph other, LoadQuantizable(file));
    TANDEM_RETURN_IF_ERROR(WithContext(CheckComparable(graphs[0], other), file));
    graphs.push_back(std::move(other));
  }
  return graphs;
}

// The models in the order in which they were given, and what is learned of each.
struct Candidates {
  std::deque<GraphRunner> runners;
  std::deque<Score> scores;
};

// The outputs, which belong to the runner until its next run. What a new shape costs is not timed.
absl::StatusOr<std::vector<Tensor>> TimedRun(GraphRunner& runner, const std::vector<Tensor>& inputs, Score& score) {
  TANDEM_RETURN_IF_ERROR(runner.Prepare(inputs).status());
  const auto begun = std::chrono::steady_clock::now();
  TANDEM_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, runner.Run(inputs));
  score.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  return outputs;
}

absl::Status AddSample(const std::vector<Tensor>& inputs, int64_t label, Candidates& candidates) {
  auto& [runners, scores] = candidates;
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> expected, TimedRun(runners[0], inputs, scores[0]));
  scores[0].Add(expected, expected, label);
  for (size_t i = 1; i < runners.size(); ++i) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, TimedRun(runners[i], inputs, scores[i]));
    scores[i].Add(expected, outputs, label);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Evaluate(const EvaluateOptions& options) {
  if (options.others.empty() && options.labels.empty()) {
    return absl::InvalidArgumentError("a single model can be evaluated with --labels only");
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Graph> graphs, LoadGraphs(options));
  TANDEM_ASSIGN_OR_RETURN(const auto samples, OpenNpzSamples(options.samples, InputSpecs(graphs[0])));
  QuantizeOptions judging;
  if (!options.labels.empty()) {
    TANDEM_ASSIGN_OR_RETURN(judging.labels, ReadLabels(options.labels, samples->size()));
  }
  std::vector<int64_t> all;
  for (int64_t i = 0; i < samples->size(); ++i) all.push_back(i);
  Candidates candidates;
  for (const Graph& graph : graphs) candidates.runners.emplace_back(graph, options.threads);
  TANDEM_ASSIGN_OR_RETURN(const Yardstick yardstick,
                          ChooseYardstick(graphs[0], candidates.runners[0], *samples, all, judging));
  if (!options.labels.empty() && yardstick.metric != Metric::kTop1) {
    return absl::InvalidArgumentError(absl::StrCat(options.labels, ": labels are of no use. ", yardstick.reason));
  }
  candidates.scores.emplace_back(options.model, yardstick);
  for (const std::string& file : options.others) candidates.scores.emplace_back(file, yardstick);
  {
    Progress progress(options.json, "");
    for (int64_t index : all) {
      progress("evaluate", static_cast<double>(index) / static_cast<double>(all.size()));
      TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, samples->Read(index));
      TANDEM_RETURN_IF_ERROR(AddSample(inputs, judging.labels.empty() ? -1 : judging.labels[index], candidates));
    }
  }
  const std::string text =
      options.json ? ScoresAsJson(yardstick, candidates.scores) : ScoresAsText(yardstick, candidates.scores);
  std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace tandem::engine
