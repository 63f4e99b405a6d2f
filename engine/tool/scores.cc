#include "engine/tool/scores.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/quantize/confidence.h"

namespace tandem::engine {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kConfidence = 0.95;
constexpr uint64_t kSeed = 1;
// Samples with another answer that are named.
constexpr size_t kMostNamed = 100;
// Noise that is told apart from none.
constexpr double kLeastNoise = 1e-20;

Json JsonOf(double value, double lower, double upper) {
  return {{"value", value}, {"lower_bound", lower}, {"upper_bound", upper}};
}

double Decibels(double noise) { return -10 * std::log10(std::max(noise, kLeastNoise)); }

// By sqnr as decibels, of which more is better; else as a share.
Json LossOf(const LossReport& loss) {
  if (loss.metric != "sqnr") return JsonOf(loss.value, loss.lower, loss.upper);
  return JsonOf(Decibels(loss.value), Decibels(loss.upper), Decibels(loss.lower));
}

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<int64_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Json AccuracyOf(const Score& score) {
  const int64_t right = score.by_metric.quantized_right(), samples = score.by_metric.samples();
  const Bounds bounds = ClopperPearson(right, samples, kConfidence);
  return JsonOf(samples > 0 ? static_cast<double>(right) / static_cast<double>(samples) : 0, bounds.lower,
                bounds.upper);
}

// The samples whose answers are others than the first model's.
Json ChangedSamples(const Score& score) {
  Json named = Json::array();
  const std::vector<double>& losses = score.by_agreement.losses();
  for (size_t i = 0; i < losses.size() && named.size() < kMostNamed; ++i) {
    if (losses[i] > 0) named.push_back(i);
  }
  return named;
}

Json DifferenceOf(const Score& score, const Score& first) {
  Json json = {{"loss", LossOf(score.by_metric.Report(kConfidence, kSeed))},
               {"sqnr_db", Decibels(score.by_metric.Noise())},
               {"relative_error", std::sqrt(score.by_metric.Noise())},
               {"time_ratio", Quantile(score.seconds, 0.5) / std::max(Quantile(first.seconds, 0.5), 1e-9)}};
  if (score.agreement.metric != Metric::kAgreement) return json;
  const std::vector<double>& changes = score.by_agreement.losses();
  json["changed"] = LossOf(score.by_agreement.Report(kConfidence, kSeed));
  json["samples_changed"] = std::count_if(changes.begin(), changes.end(), [](double loss) { return loss > 0; });
  json["changed_samples"] = ChangedSamples(score);
  if (first.by_metric.Report(kConfidence, kSeed).metric != "top1") return json;
  const std::vector<double>& losses = score.by_metric.losses();
  json["samples_to_right"] = std::count(losses.begin(), losses.end(), -1.0);
  json["samples_to_wrong"] = std::count(losses.begin(), losses.end(), 1.0);
  return json;
}

Json JsonOf(const Yardstick& yardstick, const std::deque<Score>& scores) {
  const LossReport report = scores[0].by_metric.Report(kConfidence, kSeed);
  Json json = {{"samples", report.samples},
               {"metric", report.metric},
               {"reason", yardstick.reason},
               {"confidence", kConfidence},
               {"scores", Json::array()}};
  for (const Score& score : scores) {
    Json one = {{"model", score.file},
                {"median_seconds", Quantile(score.seconds, 0.5)},
                {"p99_seconds", Quantile(score.seconds, 0.99)}};
    if (yardstick.metric == Metric::kTop1) one["accuracy"] = AccuracyOf(score);
    if (&score != &scores[0]) one["difference"] = DifferenceOf(score, scores[0]);
    json["scores"].push_back(std::move(one));
  }
  return json;
}

std::string PercentText(const Json& estimate) {
  return absl::StrFormat("%.2f %% (%.2f to %.2f)", 100 * estimate["value"].get<double>(),
                         100 * estimate["lower_bound"].get<double>(), 100 * estimate["upper_bound"].get<double>());
}

Yardstick AgreementBeside(const Yardstick& yardstick) {
  Yardstick agreement = yardstick;
  if (agreement.metric == Metric::kTop1) agreement.metric = Metric::kAgreement;
  return agreement;
}

}  // namespace

Score::Score(std::string model_file, const Yardstick& yardstick)
    : file(std::move(model_file)),
      by_metric(yardstick),
      agreement(AgreementBeside(yardstick)),
      by_agreement(agreement) {}

void Score::Add(const std::vector<Tensor>& expected, const std::vector<Tensor>& outputs, int64_t label) {
  by_metric.Add(expected, outputs, label);
  by_agreement.Add(expected, outputs, label);
}

std::string ScoresAsJson(const Yardstick& yardstick, const std::deque<Score>& scores) {
  return absl::StrCat(JsonOf(yardstick, scores).dump(-1, ' ', false, Json::error_handler_t::replace), "\n");
}

std::string ScoresAsText(const Yardstick& yardstick, const std::deque<Score>& scores) {
  const Json json = JsonOf(yardstick, scores);
  std::string text = absl::StrCat(json["samples"].get<int64_t>(), " samples. ", yardstick.reason, "\n");
  for (const Json& score : json["scores"]) {
    absl::StrAppendFormat(&text, "%s: %.3f ms", score["model"].get<std::string>(),
                          1e3 * score["median_seconds"].get<double>());
    if (score.contains("accuracy")) absl::StrAppend(&text, ", accuracy ", PercentText(score["accuracy"]));
    if (score.contains("difference")) {
      const Json& difference = score["difference"];
      absl::StrAppendFormat(&text, ", noise %.1f dB", -difference["sqnr_db"].get<double>());
      if (yardstick.metric == Metric::kTop1) absl::StrAppend(&text, ", lost ", PercentText(difference["loss"]));
      if (difference.contains("changed")) absl::StrAppend(&text, ", changed ", PercentText(difference["changed"]));
    }
    text += "\n";
  }
  return text;
}

}  // namespace tandem::engine
