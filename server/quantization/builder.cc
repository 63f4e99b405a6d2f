#include "server/quantization/builder.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/status.h"
#include "server/sync/background.h"

namespace tandem::quantization {
namespace {

std::vector<std::string> CommandLine(const std::string& program, const Recipe& recipe, const std::string& out,
                                     const std::string& times) {
  const config::QuantizationConfig& settings = recipe.settings;
  const auto number = [](double value) { return absl::StrFormat("%.17g", value); };
  std::vector<std::string> words = {program, "quantize", recipe.model_file, "--samples",    recipe.samples_file,
                                    "--out", out,        "--method",        settings.method};
  const auto add = [&](const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  };
  if (!recipe.labels_file.empty()) add("--labels", recipe.labels_file);
  if (settings.metric.has_value()) add("--metric", *settings.metric);
  if (settings.max_loss.has_value()) add("--max-loss", number(*settings.max_loss));
  if (settings.min_db.has_value()) add("--min-db", number(*settings.min_db));
  add("--confidence", number(settings.confidence));
  add("--threads", "1");
  add("--times", times);
  add("--output", "json");
  return words;
}

metrics::BuildOutcome OutcomeOf(const absl::StatusOr<Artifact>& artifact) {
  if (absl::IsCancelled(artifact.status())) return metrics::BuildOutcome::kCancelled;
  if (!artifact.ok()) return metrics::BuildOutcome::kFailed;
  switch (artifact->report->verdict) {
    case Verdict::kProven:
      return metrics::BuildOutcome::kProven;
    case Verdict::kInconclusive:
      return metrics::BuildOutcome::kInconclusive;
    case Verdict::kRejected:
      return metrics::BuildOutcome::kRejected;
  }
  return metrics::BuildOutcome::kFailed;
}

}  // namespace

Builder::Builder(BuilderOptions options)
    : options_(std::move(options)), store_(options_.state_dir), thread_(&Builder::Loop, this) {}

Builder::~Builder() { Stop(); }

void Builder::Start(const BuildKey& key, const Recipe& recipe, bool anew) {
  MutexLock lock(mutex_);
  queue_.push_back({key, recipe, anew});
  work_.NotifyAll();
}

void Builder::Cancel(const BuildKey& key) {
  MutexLock lock(mutex_);
  std::erase_if(queue_, [&](const Job& job) { return job.key == key; });
  std::erase_if(results_, [&](const BuildResult& result) { return result.key == key; });
  if (running_ != key) return;
  running_.reset();
  cancel_.Set();
}

std::vector<BuildResult> Builder::TakeResults() {
  MutexLock lock(mutex_);
  return std::exchange(results_, {});
}

void Builder::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    running_.reset();
    cancel_.Set();
    work_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Builder::Loop() {
  EnterBackground("builder", /*niceness=*/19);  // hashing files yields to serving as the child does
  Job job;
  while (TakeJob(job)) Deliver(job, Make(job));
}

bool Builder::TakeJob(Job& job) {
  MutexLock lock(mutex_);
  while (!stopping_ && queue_.empty()) work_.Wait(mutex_);
  if (stopping_) return false;
  cancel_.Clear();
  job = std::move(queue_.front());
  queue_.pop_front();
  running_ = job.key;
  return true;
}

void Builder::Deliver(const Job& job, absl::StatusOr<Artifact> artifact) {
  {
    MutexLock lock(mutex_);
    if (running_ != job.key) return;
    running_.reset();
    results_.push_back({job.key, std::move(artifact)});
  }
  if (options_.on_result) options_.on_result();
}

absl::StatusOr<Artifact> Builder::Make(const Job& job) {
  TANDEM_RETURN_IF_ERROR(store_.Prepare());
  TANDEM_ASSIGN_OR_RETURN(const std::string hash, HashOf(job.recipe));
  if (job.anew) store_.Remove(hash);
  absl::StatusOr<Artifact> kept = store_.Find(hash);
  if (kept.ok()) return kept;
  if (!absl::IsNotFound(kept.status())) {
    Warn(absl::StrCat("model ", job.key.first, " version ", job.key.second,
                      ": the int8 that was kept is built anew: ", kept.status().message()));
    store_.Remove(hash);
  }
  const Time start = Now();
  absl::StatusOr<Artifact> built = Build(job, hash);
  metrics_.Ended(OutcomeOf(built), Now() - start);
  if (!built.ok()) store_.ClearWorkplace();
  return built;
}

absl::StatusOr<Artifact> Builder::Build(const Job& job, const std::string& hash) {
  const auto times = std::filesystem::path(options_.state_dir) / "times";
  TANDEM_ASSIGN_OR_RETURN(const ChildEnd end,
                          RunChild(CommandLine(options_.program, job.recipe, store_.Workplace(hash), times.string()),
                                   cancel_, [&](absl::string_view line) {
                                     if (const auto progress = ParseProgress(line)) Report(job, *progress);
                                   }));
  TANDEM_RETURN_IF_ERROR(StatusOf(end, "the quantizer"));
  absl::StatusOr<Artifact> artifact = store_.Adopt(hash);
  if (!artifact.ok()) return engine::WithContext(artifact.status(), "the quantizer left no good artifact");
  return artifact;
}

void Builder::Report(const Job& job, const Progress& progress) {
  {
    MutexLock lock(mutex_);
    if (running_ != job.key) return;
  }
  if (options_.on_progress) options_.on_progress(job.key, progress);
}

void Builder::Warn(const std::string& text) const {
  if (options_.on_warning) options_.on_warning(text);
}

}  // namespace tandem::quantization
