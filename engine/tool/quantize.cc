// tandem-model quantize.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/onnx/export.h"
#include "engine/quantize/artifact.h"
#include "engine/quantize/quantizer.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/npz_samples.h"

namespace tandem::engine {

namespace {

// Tells how far the work is: a line of JSON, or for people one line that is written over and over.
class Progress {
 public:
  explicit Progress(bool json) : json_(json) {}

  void operator()(absl::string_view stage, double done) {
    const auto now = Clock::now();
    if (stage != stage_) {
      stage_ = std::string(stage);
      begun_ = now;
    } else if (done < 1 && now - told_ < std::chrono::milliseconds(200)) {
      return;
    }
    told_ = now;
    const double elapsed = std::chrono::duration<double>(now - begun_).count();
    if (json_) {
      nlohmann::ordered_json line = {{"event", "progress"}, {"stage", stage_}, {"done", done}};
      line["seconds_left"] = done > 0 ? elapsed / done - elapsed : 0.0;
      std::printf("%s\n", line.dump().c_str());
      std::fflush(stdout);
    } else {
      std::fprintf(stderr, "\r%-10s %3.0f %%", stage_.c_str(), 100 * done);
      if (stage_ == "write" && done >= 1) std::fprintf(stderr, "\r%20s\r", "");
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  const bool json_;
  std::string stage_;
  Clock::time_point begun_, told_;
};

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

absl::Status WriteArtifact(const QuantizeCommandOptions& options, Quantized& result) {
  std::map<std::string, std::string> files;
  Report& report = result.report;
  report.isa = std::string(CpuLevel());
  TANDEM_ASSIGN_OR_RETURN(report.model_sha256, Sha256OfFile(options.model));
  TANDEM_ASSIGN_OR_RETURN(report.samples_sha256, Sha256OfSamples(options));
  std::error_code error;
  report.fp32_bytes = static_cast<int64_t>(std::filesystem::file_size(options.model, error));
  if (result.graph.has_value()) {
    const ExportOptions metadata{.metadata = {{"tandem.method", report.method}}};
    TANDEM_ASSIGN_OR_RETURN(files["model.onnx"], ExportOnnxBytes(*result.graph, metadata));
    report.artifact_sha256 = Sha256Of(files["model.onnx"]);
    report.int8_bytes = static_cast<int64_t>(files["model.onnx"].size());
  }
  files["report.json"] = ReportAsJson(report);
  files["report.md"] = ReportAsMarkdown(report);
  return WriteFolder(options.out, files);
}

}  // namespace

absl::Status QuantizeModel(const QuantizeCommandOptions& options) {
  Progress progress(options.json);
  TANDEM_ASSIGN_OR_RETURN(const Graph graph, LoadQuantizable(options.model));
  TANDEM_ASSIGN_OR_RETURN(const auto samples, OpenNpzSamples(options.samples, InputSpecs(graph)));
  QuantizeOptions quantize = options.quantize;
  if (!options.labels.empty()) {
    TANDEM_ASSIGN_OR_RETURN(quantize.labels, ReadLabels(options.labels, samples->size()));
  }
  quantize.progress = [&](absl::string_view stage, double done) { progress(stage, done); };
  absl::StatusOr<Quantized> result = Quantize(graph, *samples, quantize);
  if (!result.ok()) return result.status();
  progress("write", 0);
  TANDEM_RETURN_IF_ERROR(WriteArtifact(options, *result));
  progress("write", 1);
  const Report& report = result->report;
  if (options.json) {
    const nlohmann::ordered_json line = {{"event", "done"},
                                         {"verdict", std::string(NameOf(report.verdict))},
                                         {"reason", report.reason},
                                         {"artifact", options.out}};
    std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s: %s\n%s/report.md says more\n", std::string(NameOf(report.verdict)).c_str(), report.reason.c_str(),
                options.out.c_str());
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
