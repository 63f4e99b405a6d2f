#include "engine/quantize/methods.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tandem::engine {

namespace {

using Json = nlohmann::ordered_json;

// One method's line of a table, as text.
struct Line {
  std::string verdict, loss, bounds, budget, fp32_ms, int8_ms, gain, bytes, smaller, layers;
};

int64_t LayersInInt8(const Report& report) {
  return std::count_if(report.layers.begin(), report.layers.end(), [](const LayerReport& layer) { return layer.int8; });
}

Line LineOf(const Report& report) {
  Line line;
  for (std::string* cell :
       {&line.loss, &line.bounds, &line.budget, &line.fp32_ms, &line.int8_ms, &line.gain, &line.bytes, &line.smaller}) {
    *cell = "-";
  }
  line.verdict = std::string(NameOf(report.verdict));
  if (report.loss.has_value()) {
    const LossReport& loss = *report.loss;
    line.loss = ShownLoss(loss, loss.value);
    line.bounds = absl::StrCat(ShownLoss(loss, loss.lower), " to ", ShownLoss(loss, loss.upper));
    line.budget = ShownLoss(loss, loss.budget);
  }
  if (report.fp32_ms.has_value() && report.int8_ms.has_value()) {
    line.fp32_ms = absl::StrFormat("%.3f", *report.fp32_ms);
    line.int8_ms = absl::StrFormat("%.3f", *report.int8_ms);
    line.gain = absl::StrFormat("%.2f", *report.fp32_ms / *report.int8_ms);
  }
  if (report.int8_bytes > 0) {
    line.bytes = absl::StrCat(report.int8_bytes);
    line.smaller =
        absl::StrFormat("%.2f", static_cast<double>(report.fp32_bytes) / static_cast<double>(report.int8_bytes));
  }
  line.layers = absl::StrCat(LayersInInt8(report), " of ", report.layers.size());
  return line;
}

std::string MeaningOfLoss(const Report& report) {
  if (!report.loss.has_value()) return "loss";
  const std::string& metric = report.loss->metric;
  return metric == "top1" ? "accuracy lost" : metric == "agreement" ? "answers changed" : "signal to noise";
}

// The report whose words head the table: any that was judged.
const Report& Judged(const std::vector<Report>& reports) {
  const auto judged =
      std::find_if(reports.begin(), reports.end(), [](const Report& report) { return report.loss.has_value(); });
  return judged == reports.end() ? reports.front() : *judged;
}

}  // namespace

std::string MethodsAsJson(const std::vector<Report>& reports) {
  Json json = {{"format", 1}, {"methods", Json::array()}};
  for (const Report& report : reports) {
    Json entry = Json::parse(ReportAsJson(report));
    entry["layers"] = {{"int8", LayersInInt8(report)}, {"all", report.layers.size()}};
    json["methods"].push_back(std::move(entry));
  }
  return json.dump(1) + "\n";
}

std::string MethodsAsMarkdown(const std::vector<Report>& reports) {
  const Report& first = Judged(reports);
  std::string text = absl::StrCat(
      "# Quantization: methods compared\nOne model, the same samples: ", first.calibration_samples, " calibrate");
  if (first.loss.has_value()) absl::StrAppend(&text, ", ", first.loss->samples, " judge");
  absl::StrAppend(&text, ". Seed ", first.seed, ", on ", first.isa, ".\n\n| method | verdict | ", MeaningOfLoss(first),
                  " | bounds | budget | ms in fp32 | ms | times as fast | bytes (fp32: ", first.fp32_bytes,
                  ") | times smaller | layers in int8 |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Report& report : reports) {
    const Line line = LineOf(report);
    absl::StrAppend(&text, "| [", report.method, "](", report.method, "/report.md) | ", line.verdict, " | ", line.loss,
                    " | ", line.bounds, " | ", line.budget, " | ", line.fp32_ms, " | ");
    absl::StrAppend(&text, line.int8_ms, " | ", line.gain, " | ", line.bytes, " | ", line.smaller, " | ", line.layers,
                    " |\n");
  }
  if (first.loss.has_value()) absl::StrAppend(&text, "\n", first.loss->reason, "\n");
  for (const Report& report : reports) {
    absl::StrAppend(&text, "\n## ", report.method, ": ", NameOf(report.verdict), "\n", report.reason, "\n");
    for (const std::string& note : report.notes) absl::StrAppend(&text, "\n- ", note);
    if (!report.notes.empty()) text += "\n";
  }
  return text;
}

std::string MethodsAsText(const std::vector<Report>& reports) {
  constexpr char kFormat[] = "%-12s %-13s %-16s %-22s %9s %9s  %s\n";
  std::string text = absl::StrFormat(kFormat, "method", "verdict", MeaningOfLoss(Judged(reports)), "bounds", "faster",
                                     "smaller", "layers in int8");
  for (const Report& report : reports) {
    const Line line = LineOf(report);
    absl::StrAppendFormat(&text, kFormat, report.method, line.verdict, line.loss, line.bounds, line.gain, line.smaller,
                          line.layers);
  }
  return text;
}

}  // namespace tandem::engine
