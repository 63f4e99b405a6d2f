#include "clients/cli/evaluation_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/table.h"

namespace tandem::cli {
namespace {

constexpr char kNothing[] = "-";
// Samples that a line names.
constexpr int kMostNamed = 10;

std::string PercentText(const v1::Estimate& estimate) {
  return absl::StrFormat("%.2f %% (%.2f to %.2f)", 100 * estimate.value(), 100 * estimate.lower_bound(),
                         100 * estimate.upper_bound());
}

std::string LossText(const std::string& metric, const v1::Estimate& loss) {
  if (metric != "sqnr") return PercentText(loss);
  return absl::StrFormat("%.1f dB (%.1f to %.1f)", loss.value(), loss.lower_bound(), loss.upper_bound());
}

std::string TimeText(const v1::Score& score) {
  return absl::StrFormat("%.3g ms, p99 %.3g", 1e3 * score.median_seconds(), 1e3 * score.p99_seconds());
}

std::string SpeedText(const v1::Score& score) {
  const double ratio = score.difference().time_ratio();
  return ratio > 0 ? absl::StrFormat("%.2f x", 1 / ratio) : kNothing;
}

std::string NameOf(const v1::Score& score) { return absl::StrCat(score.version(), " ", score.variant()); }

// "1 int8: 13 of 10000 samples changed their answer, 4 to the right one and 7 away from it: 5, 12, ...".
std::string ChangesText(const v1::Evaluation& evaluation, const v1::Score& score) {
  const v1::Difference& difference = score.difference();
  std::string text = absl::StrCat(NameOf(score), ": ", difference.samples_changed(), " of ", evaluation.samples(),
                                  " samples changed their answer");
  if (score.has_accuracy()) {
    absl::StrAppend(&text, ", ", difference.samples_to_right(), " to the right one and ", difference.samples_to_wrong(),
                    " away from it");
  }
  const int named = std::min(difference.changed_samples_size(), kMostNamed);
  for (int i = 0; i < named; ++i) absl::StrAppend(&text, i == 0 ? ": " : ", ", difference.changed_samples(i));
  if (difference.samples_changed() > named) absl::StrAppend(&text, ", ...");
  return absl::StrCat(text, "\n");
}

std::string TableText(const v1::Evaluation& evaluation, size_t width) {
  const std::string lost = evaluation.metric() == "top1"        ? "ACCURACY LOST"
                           : evaluation.metric() == "agreement" ? "CHANGED"
                                                                : "SIGNAL/NOISE";
  Table table({"VARIANT", "ACCURACY", lost, "RELATIVE ERROR", "TIME", "SPEED"});
  for (const v1::Score& score : evaluation.scores()) {
    const bool other = score.has_difference();
    const v1::Difference& difference = score.difference();
    table.Add({NameOf(score), score.has_accuracy() ? PercentText(score.accuracy()) : kNothing,
               other ? LossText(evaluation.metric(), difference.loss()) : kNothing,
               other ? absl::StrFormat("%.2g (%.1f dB)", difference.relative_error(), difference.sqnr_db()) : kNothing,
               TimeText(score), SpeedText(score)});
  }
  return table.ToText(width);
}

}  // namespace

std::string EvaluationText(const v1::Evaluation& evaluation, size_t width) {
  std::string text = TableText(evaluation, width);
  for (const v1::Score& score : evaluation.scores()) {
    if (score.difference().has_changed()) text += ChangesText(evaluation, score);
  }
  return absl::StrCat(text, evaluation.reason(), "\n");
}

}  // namespace tandem::cli
