#include "server/quantization/report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/status.h"

namespace tandem::quantization {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

std::string TextOr(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

double NumberOr(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

// The object at `key`, or an empty one.
json ObjectAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : json::object();
}

absl::StatusOr<Verdict> ParseVerdict(const std::string& text) {
  if (text == "proven") return Verdict::kProven;
  if (text == "inconclusive") return Verdict::kInconclusive;
  if (text == "rejected") return Verdict::kRejected;
  return absl::DataLossError(
      absl::StrCat("verdict: expected proven, inconclusive or rejected, not \"", text.substr(0, 40), "\""));
}

std::optional<Loss> LossOf(const json& report) {
  const json loss = ObjectAt(report, "loss");
  if (loss.empty()) return std::nullopt;
  return Loss{.metric = TextOr(loss, "metric"),
              .value = NumberOr(loss, "value"),
              .lower = NumberOr(loss, "lower"),
              .upper = NumberOr(loss, "upper"),
              .budget = NumberOr(loss, "budget"),
              .samples = static_cast<int64_t>(NumberOr(loss, "samples"))};
}

void CountLayers(const json& report, Report& result) {
  const auto layers = report.find("layers");
  if (layers == report.end() || !layers->is_array()) return;
  for (const json& layer : *layers) {
    if (!layer.is_object()) continue;
    (TextOr(layer, "precision") == "int8" ? result.int8_layers : result.fp32_layers) += 1;
  }
}

absl::StatusOr<Report> FromJson(const json& report) {
  if (!report.is_object()) return absl::DataLossError("not a JSON object");
  if (NumberOr(report, "format") != kFormat) return absl::DataLossError(absl::StrCat("not of format ", kFormat));
  const std::string reason = TextOr(report, "reason");
  // It becomes part of sentences of ours.
  Report result{.reason = std::string(absl::StripSuffix(reason, ".")),
                .method = TextOr(report, "method"),
                .artifact_sha256 = TextOr(report, "artifact_sha256"),
                .isa = TextOr(ObjectAt(report, "cpu"), "isa"),
                .loss = LossOf(report)};
  TANDEM_ASSIGN_OR_RETURN(result.verdict, ParseVerdict(TextOr(report, "verdict")));
  if (const double ratio = NumberOr(ObjectAt(report, "speed"), "ratio"); ratio > 0) result.speedup = ratio;
  const json size = ObjectAt(report, "size");
  const double fp32_bytes = NumberOr(size, "fp32_bytes"), int8_bytes = NumberOr(size, "int8_bytes");
  if (fp32_bytes > 0 && int8_bytes > 0) result.size_ratio = int8_bytes / fp32_bytes;
  CountLayers(report, result);
  return result;
}

}  // namespace

absl::StatusOr<Report> ParseReport(absl::string_view text, const std::string& file) {
  const json report = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  absl::StatusOr<Report> result = FromJson(report);
  if (!result.ok()) return engine::WithContext(result.status(), file);
  return result;
}

}  // namespace tandem::quantization
