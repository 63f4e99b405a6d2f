// Report: what an artifact's report.json says of it, as far as the server needs it.
#ifndef TANDEM_SERVER_QUANTIZATION_REPORT_H_
#define TANDEM_SERVER_QUANTIZATION_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::quantization {

enum class Verdict { kProven, kInconclusive, kRejected };

struct Loss {
  std::string metric;  // top1, agreement or sqnr
  double value = 0, lower = 0, upper = 0, budget = 0;
  int64_t samples = 0;
};

struct Report {
  Verdict verdict = Verdict::kInconclusive;
  std::string reason;
  std::string method;           // integer, fixed_point or binary
  std::string artifact_sha256;  // of model.onnx; empty where there is none
  std::string isa;              // of the CPU it was judged on
  std::optional<Loss> loss;
  std::optional<double> speedup;  // fp32's time over int8's
  int64_t int8_layers = 0, fp32_layers = 0;
  std::optional<double> size_ratio;  // of int8's file to fp32's
};

// DATA_LOSS saying what is wrong with `text`, called `file` in messages.
absl::StatusOr<Report> ParseReport(absl::string_view text, const std::string& file);

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_REPORT_H_
