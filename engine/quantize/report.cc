#include "engine/quantize/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace tandem::engine {

namespace {

using Json = nlohmann::ordered_json;

Json OrNull(const std::optional<double>& value) { return value.has_value() ? Json(*value) : Json(nullptr); }

Json ToJson(const LayerReport& layer) {
  Json json = {
      {"name", layer.name}, {"op", layer.op}, {"precision", layer.int8 ? "int8" : "fp32"}, {"reason", layer.reason}};
  if (layer.int8) {
    json["range"] = {layer.low, layer.high};
    json["scale"] = layer.params.scale;
    json["zero_point"] = layer.params.zero_point;
  }
  json["sqnr_db"] = OrNull(layer.sqnr_db);
  json["noise_share"] = OrNull(layer.noise_share);
  json["fp32_us"] = OrNull(layer.fp32_us);
  json["int8_us"] = OrNull(layer.int8_us);
  return json;
}

std::string Percent(double share) { return absl::StrFormat("%.3g %%", 100 * share); }

std::string LossAsText(const LossReport& loss) {
  const char* const meaning = loss.metric == "top1"        ? "points of accuracy lost"
                              : loss.metric == "agreement" ? "changed answers"
                                                           : "power of the noise beside the signal's";
  return absl::StrFormat("| %s | %s | %s to %s | %s | %d |\n", meaning, Percent(loss.value), Percent(loss.lower),
                         Percent(loss.upper), Percent(loss.budget), loss.samples);
}

std::string Number(const std::optional<double>& value) {
  return value.has_value() ? absl::StrFormat("%.1f", *value) : std::string("-");
}

std::string PercentOrNone(const std::optional<double>& share) {
  return share.has_value() ? absl::StrFormat("%.1f", 100 * *share) : std::string("-");
}

}  // namespace

absl::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kProven:
      return "proven";
    case Verdict::kInconclusive:
      return "inconclusive";
    case Verdict::kRejected:
      return "rejected";
  }
  return "";
}

std::string ShownLoss(const LossReport& loss, double value) {
  return loss.metric == "sqnr" ? absl::StrFormat("%.1f dB", -10 * std::log10(std::max(value, 1e-12)))
                               : absl::StrFormat("%.2f %%", 100 * value);
}

std::string CostliestLayers(const std::vector<LayerReport>& layers) {
  constexpr size_t kMostNamed = 4;
  constexpr double kLeastShare = 0.05;
  std::vector<const LayerReport*> costly;
  for (const LayerReport& layer : layers) {
    if (layer.noise_share.value_or(0) >= kLeastShare) costly.push_back(&layer);
  }
  std::stable_sort(costly.begin(), costly.end(),
                   [](const LayerReport* a, const LayerReport* b) { return *a->noise_share > *b->noise_share; });
  if (costly.size() > kMostNamed) costly.resize(kMostNamed);
  if (costly.empty()) return "";
  return absl::StrCat("The layers that cost most: ",
                      absl::StrJoin(costly, ", ",
                                    [](std::string* text, const LayerReport* layer) {
                                      absl::StrAppendFormat(text, "%s '%s' (%.0f %% of the noise)", layer->op,
                                                            layer->name, 100 * *layer->noise_share);
                                    }),
                      ".");
}

std::string ReportAsJson(const Report& report) {
  Json json = {{"format", 1},
               {"tandem_version", TANDEM_VERSION},
               {"method", report.method},
               {"model_sha256", report.model_sha256},
               {"samples_sha256", report.samples_sha256},
               {"artifact_sha256", report.artifact_sha256},
               {"seed", report.seed},
               {"cpu", {{"isa", report.isa}}},
               {"verdict", std::string(NameOf(report.verdict))},
               {"reason", report.reason},
               {"notes", report.notes},
               {"calibration_samples", report.calibration_samples}};
  if (report.loss.has_value()) {
    const LossReport& loss = *report.loss;
    json["loss"] = {{"metric", loss.metric},         {"metric_reason", loss.reason}, {"value", loss.value},
                    {"lower", loss.lower},           {"upper", loss.upper},          {"budget", loss.budget},
                    {"confidence", loss.confidence}, {"samples", loss.samples}};
  }
  if (report.fp32_ms.has_value() && report.int8_ms.has_value()) {
    json["speed"] = {
        {"fp32_ms", *report.fp32_ms}, {"int8_ms", *report.int8_ms}, {"ratio", *report.fp32_ms / *report.int8_ms}};
  }
  json["size"] = {{"fp32_bytes", report.fp32_bytes}, {"int8_bytes", report.int8_bytes}};
  json["layers"] = Json::array();
  for (const LayerReport& layer : report.layers) json["layers"].push_back(ToJson(layer));
  // Names come from files and may hold any bytes.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string ReportAsMarkdown(const Report& report) {
  const auto int8 = std::count_if(report.layers.begin(), report.layers.end(), [](const auto& l) { return l.int8; });
  std::string text = absl::StrFormat("# Quantization: %s\n%s\n\n", NameOf(report.verdict), report.reason);
  absl::StrAppend(&text, "Method `", report.method, "`, seed ", report.seed, ", ", report.calibration_samples,
                  " samples for calibration, on ", report.isa, ". ", int8, " of ", report.layers.size(),
                  " layers in int8.\n");
  for (const std::string& note : report.notes) absl::StrAppend(&text, "\n- ", note);
  if (!report.notes.empty()) text += "\n";
  if (report.loss.has_value()) {
    absl::StrAppend(&text, "\n| loss | measured | ", Percent(report.loss->confidence),
                    " bounds | budget | samples |\n|---|---|---|---|---|\n", LossAsText(*report.loss), "\n",
                    report.loss->reason, "\n");
  }
  text += "\n| | fp32 | int8 | gain |\n|---|---|---|---|\n";
  if (report.fp32_ms.has_value() && report.int8_ms.has_value()) {
    absl::StrAppendFormat(&text, "| ms a run, batch 1 | %.3f | %.3f | %.2f |\n", *report.fp32_ms, *report.int8_ms,
                          *report.fp32_ms / *report.int8_ms);
  }
  absl::StrAppendFormat(
      &text, "| bytes of the file | %d | %d | %.2f |\n", report.fp32_bytes, report.int8_bytes,
      static_cast<double>(report.fp32_bytes) / static_cast<double>(std::max<int64_t>(report.int8_bytes, 1)));
  text +=
      "\n| layer | operator | precision | range | dB | % of the noise | fp32 us | int8 us | why |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  for (const LayerReport& layer : report.layers) {
    const std::string range = layer.int8 ? absl::StrFormat("%.4g to %.4g", layer.low, layer.high) : "-";
    absl::StrAppend(&text, "| ", layer.name, " | ", layer.op, " | ", layer.int8 ? "int8" : "fp32", " | ", range, " | ",
                    Number(layer.sqnr_db), " | ", PercentOrNone(layer.noise_share), " | ", Number(layer.fp32_us), " | ",
                    Number(layer.int8_us), " | ", layer.reason, " |\n");
  }
  return text;
}

}  // namespace tandem::engine
