// tandem-model evaluate.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/quantize/graph_runner.h"
#include "engine/quantize/judge.h"
#include "engine/quantize/quantizer.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/npz_samples.h"

namespace tandem::engine {

namespace {

double ShareOf(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

nlohmann::ordered_json Summary(const EvaluateOptions& options, const Comparison& comparison, const LossReport& loss) {
  const bool two = !options.other.empty();
  nlohmann::ordered_json json = {{"samples", comparison.samples()}, {"metric", loss.metric}};
  json["models"] = {{{"model", options.model}}};
  if (two) json["models"].push_back({{"model", options.other}});
  if (loss.metric == "top1") {
    json["models"][0]["accuracy"] = ShareOf(comparison.exact_right(), comparison.samples());
    if (two) json["models"][1]["accuracy"] = ShareOf(comparison.quantized_right(), comparison.samples());
  }
  if (two) {
    json["loss"] = {{"value", loss.value}, {"lower", loss.lower}, {"upper", loss.upper}};
    json["noise_db"] = 10 * std::log10(std::max(comparison.Noise(), 1e-20));
  }
  return json;
}

}  // namespace

absl::Status Evaluate(const EvaluateOptions& options) {
  const bool two = !options.other.empty();
  if (!two && options.labels.empty()) {
    return absl::InvalidArgumentError("a single model can be evaluated with --labels only");
  }
  TANDEM_ASSIGN_OR_RETURN(const Graph graph, LoadQuantizable(options.model));
  TANDEM_ASSIGN_OR_RETURN(const Graph other, LoadQuantizable(two ? options.other : options.model));
  TANDEM_ASSIGN_OR_RETURN(const auto samples, OpenNpzSamples(options.samples, InputSpecs(graph)));
  QuantizeOptions judging;
  judging.threads = options.threads;
  if (!options.labels.empty()) {
    TANDEM_ASSIGN_OR_RETURN(judging.labels, ReadLabels(options.labels, samples->size()));
    judging.metric = Metric::kTop1;
  }
  std::vector<int64_t> all;
  for (int64_t i = 0; i < samples->size(); ++i) all.push_back(i);
  GraphRunner first(graph, options.threads), second(other, options.threads);
  TANDEM_ASSIGN_OR_RETURN(const Yardstick yardstick, ChooseYardstick(graph, first, *samples, all, judging));
  Comparison comparison(yardstick);
  for (int64_t index : all) {
    TANDEM_RETURN_IF_ERROR(CompareOn(first, two ? second : first, *samples, index, judging, comparison));
  }
  const LossReport loss = comparison.Report(judging.confidence, judging.seed);
  const nlohmann::ordered_json summary = Summary(options, comparison, loss);
  if (options.json) {
    std::printf("%s\n", summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return absl::OkStatus();
  }
  for (const auto& model : summary["models"]) {
    std::printf("%s: ", model["model"].get<std::string>().c_str());
    if (model.contains("accuracy")) std::printf("accuracy %.4f, ", model["accuracy"].get<double>());
    std::printf("%lld samples\n", static_cast<long long>(comparison.samples()));
  }
  if (two) {
    std::printf("%s: %.5f (%.5f to %.5f), noise %.1f dB\n", loss.metric.c_str(), loss.value, loss.lower, loss.upper,
                summary["noise_db"].get<double>());
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
