// The report on one quantization: what was done, what it costs in quality, what it gains, and the verdict.
#ifndef TANDEM_ENGINE_QUANTIZE_REPORT_H_
#define TANDEM_ENGINE_QUANTIZE_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

enum class Verdict { kProven, kInconclusive, kRejected };
absl::string_view NameOf(Verdict verdict);

struct LayerReport {
  std::string name;
  std::string op;
  bool int8 = false;
  std::string reason;                      // why it is what it is
  float low = 0, high = 0;                 // the range of its input that is stored
  QuantParams params;                      // of its input
  std::optional<double> sqnr_db;           // of its output, its input and weights quantized; absent: not measured
  std::optional<double> noise_share;       // of the noise at the outputs: what it makes of it; absent: not measured
  std::optional<double> fp32_us, int8_us;  // of the layer with the conversions it needs
};

struct LossReport {
  std::string metric;           // top1, agreement, sqnr
  std::string reason;           // why this metric
  double value = 0;             // loss: share of answers, or 1 - share; for sqnr the noise's share of the power
  double lower = 0, upper = 0;  // confidence bounds
  double budget = 0;
  double confidence = 0;
  int64_t samples = 0;
};

struct Report {
  std::string method;
  std::string model_sha256, samples_sha256, artifact_sha256;
  uint64_t seed = 0;
  std::string isa;
  Verdict verdict = Verdict::kInconclusive;
  std::string reason;
  std::vector<std::string> notes;  // what a reader should know besides
  int64_t calibration_samples = 0;
  std::optional<LossReport> loss;
  std::optional<double> fp32_ms, int8_ms;  // of whole runs, batch 1
  int64_t fp32_bytes = 0, int8_bytes = 0;  // of files
  std::vector<LayerReport> layers;
};

// `value`, the loss of `loss` or a bound of it, for people: "0.50 %", or by sqnr "26.3 dB".
std::string ShownLoss(const LossReport& loss, double value);

// "The layers that cost most: Conv 'a' (61 % of the noise).": the few that stand out; empty when none does.
std::string CostliestLayers(const std::vector<LayerReport>& layers);

// report.json, format 1.
std::string ReportAsJson(const Report& report);
// report.md, for people.
std::string ReportAsMarkdown(const Report& report);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_REPORT_H_
