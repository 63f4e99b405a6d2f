// tandem-model quantize.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/onnx/export.h"
#include "engine/quantize/artifact.h"
#include "engine/quantize/methods.h"
#include "engine/quantize/quantizer.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/kept_times.h"
#include "engine/tool/npz_samples.h"
#include "engine/tool/progress.h"

namespace tandem::engine {

namespace {

// Of the samples, and of the labels behind them.
absl::StatusOr<std::string> Sha256OfSamples(const QuantizeCommandOptions& options) {
  if (options.labels.empty()) return Sha256OfFile(options.samples);
  Sha256 hash;
  for (const std::string& path : {options.samples, options.labels}) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
    std::string chunk(1 << 20, '\0');
    while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
      hash.Add(absl::string_view(chunk.data(), static_cast<size_t>(file.gcount())));
    }
  }
  return hash.Finish();
}

using Files = std::map<std::string, std::string>;  // contents by name

// Adds the artifact of one method to `files`, below `folder`, and to the report what its files are.
absl::Status AddArtifact(const std::string& folder, Quantized& result, Files& files) {
  Report& report = result.report;
  if (result.graph.has_value()) {
    const ExportOptions metadata{.metadata = {{"tandem.method", report.method}}};
    TANDEM_ASSIGN_OR_RETURN(std::string bytes, ExportOnnxBytes(*result.graph, metadata));
    report.artifact_sha256 = Sha256Of(bytes);
    report.int8_bytes = static_cast<int64_t>(bytes.size());
    files[folder + "model.onnx"] = std::move(bytes);
  }
  files[folder + "report.json"] = ReportAsJson(report);
  files[folder + "report.md"] = ReportAsMarkdown(report);
  return absl::OkStatus();
}

std::vector<std::string> MethodsOf(const QuantizeCommandOptions& options) {
  std::vector<std::string> methods;
  for (const char* const method : {"integer", "fixed_point", "binary"}) {
    const bool wanted = std::any_of(options.methods.begin(), options.methods.end(),
                                    [&](const std::string& asked) { return asked == "all" || asked == method; });
    if (wanted) methods.emplace_back(method);
  }
  return methods;
}

void TellOne(const QuantizeCommandOptions& options, const Report& report) {
  if (!options.json) {
    std::printf("%s: %s\n%s/report.md says more\n", std::string(NameOf(report.verdict)).c_str(), report.reason.c_str(),
                options.out.c_str());
    return;
  }
  const nlohmann::ordered_json line = {{"event", "done"},
                                       {"verdict", std::string(NameOf(report.verdict))},
                                       {"reason", report.reason},
                                       {"artifact", options.out}};
  std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void TellSeveral(const QuantizeCommandOptions& options, const std::vector<Report>& reports) {
  if (!options.json) {
    std::printf("%s%s/report.md says more\n", MethodsAsText(reports).c_str(), options.out.c_str());
    return;
  }
  nlohmann::ordered_json line = {{"event", "done"}, {"artifact", options.out}};
  for (const Report& report : reports) {
    line["methods"].push_back({{"method", report.method},
                               {"verdict", std::string(NameOf(report.verdict))},
                               {"reason", report.reason},
                               {"artifact", options.out + "/" + report.method}});
  }
  std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

}  // namespace

absl::Status QuantizeModel(const QuantizeCommandOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const Graph graph, LoadQuantizable(options.model));
  TANDEM_ASSIGN_OR_RETURN(const auto samples, OpenNpzSamples(options.samples, InputSpecs(graph)));
  QuantizeOptions quantize = options.quantize;
  if (!options.labels.empty()) {
    TANDEM_ASSIGN_OR_RETURN(quantize.labels, ReadLabels(options.labels, samples->size()));
  }
  quantize.cpu_level = std::string(CpuLevel());
  const std::vector<std::string> methods = MethodsOf(options);
  const bool several = methods.size() > 1;
  std::vector<Report> reports;
  Files files;  // written together, so that a reader finds one run's
  TANDEM_ASSIGN_OR_RETURN(const std::string model_sha256, Sha256OfFile(options.model));
  TANDEM_ASSIGN_OR_RETURN(const std::string samples_sha256, Sha256OfSamples(options));
  for (const std::string& method : methods) {
    Progress progress(options.json, several ? method : "");
    quantize.method = method;
    KeptTimes times(options.times, model_sha256, method, quantize.threads);
    quantize.times = &times.book();
    quantize.progress = [&](absl::string_view stage, double done) { progress(stage, done); };
    TANDEM_ASSIGN_OR_RETURN(Quantized result, Quantize(graph, *samples, quantize));
    times.Save();
    std::error_code error;
    result.report.fp32_bytes = static_cast<int64_t>(std::filesystem::file_size(options.model, error));
    result.report.model_sha256 = model_sha256;
    result.report.samples_sha256 = samples_sha256;
    progress("write", 0);
    TANDEM_RETURN_IF_ERROR(AddArtifact(several ? absl::StrCat(method, "/") : std::string(), result, files));
    reports.push_back(std::move(result.report));
    if (several && reports.size() == methods.size()) {
      files["report.json"] = MethodsAsJson(reports);
      files["report.md"] = MethodsAsMarkdown(reports);
    }
    if (reports.size() == methods.size()) TANDEM_RETURN_IF_ERROR(WriteFolder(options.out, files));
    progress("write", 1);
  }
  several ? TellSeveral(options, reports) : TellOne(options, reports[0]);
  return absl::OkStatus();
}

}  // namespace tandem::engine
