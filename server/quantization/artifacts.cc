#include "server/quantization/artifacts.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "config/settings.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "engine/status.h"

namespace tandem::quantization {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<Report> ReadReport(const fs::path& folder) {
  const std::string file = (folder / "report.json").string();
  TANDEM_ASSIGN_OR_RETURN(const std::string text, config::ReadFile(file));
  return ParseReport(text, file);
}

absl::Status CheckModel(const std::string& file, const Report& report) {
  TANDEM_ASSIGN_OR_RETURN(const std::string sha256, engine::Sha256OfFile(file));
  if (sha256 == report.artifact_sha256) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(file, " is not the file that its report.json describes"));
}

// The report of a ready-made model, where its verdict holds here.
absl::StatusOr<Report> ValidReport(const fs::path& folder, const std::string& model_file) {
  absl::StatusOr<Report> report = ReadReport(folder);
  if (absl::IsNotFound(report.status())) return absl::NotFoundError("there is no report.json beside it");
  TANDEM_RETURN_IF_ERROR(report.status());
  TANDEM_RETURN_IF_ERROR(CheckModel(model_file, *report));
  if (report->isa != engine::CpuLevel()) {
    return absl::FailedPreconditionError(
        absl::StrCat("judged on another CPU (", report->isa, "; this one is ", engine::CpuLevel(), ")"));
  }
  return report;
}

}  // namespace

absl::StatusOr<Artifact> ReadArtifact(const std::string& folder) {
  TANDEM_ASSIGN_OR_RETURN(Report report, ReadReport(folder));
  Artifact artifact;
  const fs::path model_file = fs::path(folder) / "model.onnx";
  std::error_code error;
  if (fs::exists(model_file, error)) {
    artifact.model_file = model_file.string();
    TANDEM_RETURN_IF_ERROR(CheckModel(artifact.model_file, report));
  } else if (report.verdict != Verdict::kRejected) {
    return absl::DataLossError(absl::StrCat(model_file.string(), " is missing"));
  }
  artifact.report = std::make_shared<const Report>(std::move(report));
  return artifact;
}

Artifact ReadyMadeArtifact(const std::string& folder) {
  Artifact artifact{.model_file = (fs::path(folder) / "model.onnx").string()};
  absl::StatusOr<Report> report = ValidReport(folder, artifact.model_file);
  if (!report.ok()) {
    report = Report{.reason = std::string(report.status().message()),
                    .artifact_sha256 = engine::Sha256OfFile(artifact.model_file).value_or("")};
  }
  artifact.report = std::make_shared<const Report>(*std::move(report));
  return artifact;
}

}  // namespace tandem::quantization
