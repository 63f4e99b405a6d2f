#include "server/evidence/terms.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tandem::evidence {
namespace {

constexpr double kChangedWhereAccurate = 0.1;

}  // namespace

Terms TermsFor(const config::QuantizationConfig& settings, const quantization::Report& report) {
  Terms terms{.subject = report.artifact_sha256, .alpha = 1 - settings.confidence};
  const std::string metric = settings.metric.value_or(report.loss.has_value() ? report.loss->metric : "");
  if (metric == "sqnr") terms.metric = Metric::kNoise;
  if (metric == "top1" || metric == "agreement") terms.metric = Metric::kAgreement;
  if (settings.min_db.has_value()) terms.noise_budget = std::pow(10, -*settings.min_db / 10);
  if (settings.max_loss.has_value()) {
    terms.accuracy_budget = *settings.max_loss;
    if (metric != "top1") terms.changed_budget = *settings.max_loss;
  }
  const bool accurate = report.verdict == quantization::Verdict::kProven && metric == "top1";
  if (accurate) terms.changed_budget = std::max(terms.changed_budget, kChangedWhereAccurate);
  return terms;
}

Terms TermsForVersions(const config::QuantizationConfig& settings, std::string subject) {
  return TermsFor(settings, {.artifact_sha256 = std::move(subject)});
}

}  // namespace tandem::evidence
