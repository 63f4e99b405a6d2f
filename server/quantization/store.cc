#include "server/quantization/store.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "engine/status.h"
#include "server/version.h"

namespace tandem::quantization {
namespace {

namespace fs = std::filesystem;

// Folders that builds work in: this and the number of the process.
constexpr absl::string_view kWorkPrefix = ".building-";

std::string NumberOr(const std::optional<double>& value) {
  return value.has_value() ? absl::StrFormat("%.17g", *value) : "default";
}

// The model and, beside it, the external data that it may name.
absl::StatusOr<std::string> HashOfModel(const fs::path& model_file) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model_file.parent_path(), error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  engine::Sha256 all;
  for (const fs::path& file : files) {
    TANDEM_ASSIGN_OR_RETURN(const std::string one, engine::Sha256OfFile(file.string()));
    all.Add(absl::StrCat(one, "  ", file.filename().string(), "\n"));
  }
  return all.Finish();
}

bool IsAlive(pid_t process) { return kill(process, 0) == 0 || errno != ESRCH; }

absl::Status Unwritable(const fs::path& folder, const std::error_code& error) {
  return absl::UnavailableError(absl::StrCat("cannot write ", folder.string(), ": ", error.message()));
}

}  // namespace

std::string ToText(const config::QuantizationConfig& settings) {
  return absl::StrCat("method ", settings.method, "\nmetric ", settings.metric.value_or("default"), "\nmax_loss ",
                      NumberOr(settings.max_loss), "\nmin_db ", NumberOr(settings.min_db), "\nconfidence ",
                      NumberOr(settings.confidence), "\n");
}

absl::StatusOr<std::string> HashOf(const Recipe& recipe) {
  TANDEM_ASSIGN_OR_RETURN(const std::string model, HashOfModel(recipe.model_file));
  TANDEM_ASSIGN_OR_RETURN(const std::string samples, engine::Sha256OfFile(recipe.samples_file));
  std::string labels = "none";
  if (!recipe.labels_file.empty()) {
    TANDEM_ASSIGN_OR_RETURN(labels, engine::Sha256OfFile(recipe.labels_file));
  }
  return engine::Sha256Of(absl::StrCat("tandem ", kTandemVersion, "\ncpu ", engine::CpuLevel(), "\nmodel ", model,
                                       "\nsamples ", samples, "\nlabels ", labels, "\n", ToText(recipe.settings)));
}

absl::Status ArtifactStore::Prepare() const {
  if (folder_.empty()) {
    return absl::FailedPreconditionError("there is no folder to keep it in: set --state-dir");
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return Unwritable(folder_, error);
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    absl::string_view number = name;
    pid_t process = 0;
    if (!absl::ConsumePrefix(&number, kWorkPrefix) || !absl::SimpleAtoi(number, &process)) continue;
    std::error_code ignored;
    if (process == getpid() || !IsAlive(process)) fs::remove_all(entry.path(), ignored);
  }
  return error ? Unwritable(folder_, error) : absl::OkStatus();
}

absl::StatusOr<Artifact> ArtifactStore::Find(const std::string& hash) const {
  TANDEM_ASSIGN_OR_RETURN(Artifact artifact, ReadArtifact((folder_ / hash).string()));
  if (artifact.report->isa == engine::CpuLevel()) return artifact;
  return absl::FailedPreconditionError(
      absl::StrCat("judged on another CPU (", artifact.report->isa, "; this one is ", engine::CpuLevel(), ")"));
}

void ArtifactStore::Remove(const std::string& hash) const {
  std::error_code ignored;
  fs::remove_all(folder_ / hash, ignored);
}

fs::path ArtifactStore::WorkFolder() const { return folder_ / absl::StrCat(kWorkPrefix, getpid()); }

std::string ArtifactStore::Workplace(const std::string& hash) const {
  ClearWorkplace();
  std::error_code ignored;  // the build will say what is wrong with it
  fs::create_directories(WorkFolder(), ignored);
  return (WorkFolder() / hash).string();
}

absl::StatusOr<Artifact> ArtifactStore::Adopt(const std::string& hash) const {
  TANDEM_RETURN_IF_ERROR(ReadArtifact((WorkFolder() / hash).string()).status());
  Remove(hash);
  std::error_code error;
  fs::rename(WorkFolder() / hash, folder_ / hash, error);
  if (error) return Unwritable(folder_ / hash, error);
  ClearWorkplace();
  return ReadArtifact((folder_ / hash).string());
}

void ArtifactStore::ClearWorkplace() const {
  std::error_code ignored;
  fs::remove_all(WorkFolder(), ignored);
}

}  // namespace tandem::quantization
