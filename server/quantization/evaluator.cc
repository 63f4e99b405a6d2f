#include "server/quantization/evaluator.h"

#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/status.h"

namespace tandem::quantization {
namespace {

namespace fs = std::filesystem;

constexpr char kFolder[] = "evaluation";

absl::Status CheckFiles(const EvaluationFiles& files) {
  if (files.samples.empty()) {
    return absl::FailedPreconditionError("there are no samples beside the model: send some to score it on");
  }
  if (files.models.size() > 1 || !files.labels.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "there is nothing to compare fp32 with, and without labels nothing else to score");
}

}  // namespace

Evaluation::Evaluation(Evaluator& evaluator, uint64_t turn)
    : evaluator_(evaluator),
      turn_(turn),
      folder_(fs::path(evaluator.options_.state_dir) / kFolder / absl::StrCat(turn)) {}

Evaluation::~Evaluation() {
  std::error_code ignored;
  if (bytes_ > 0) {
    fs::remove_all(folder_, ignored);
    fs::remove(folder_.parent_path(), ignored);  // unless another one keeps something there
  }
  evaluator_.End(turn_);
}

std::string Evaluation::PathOf(Part part) const {
  return (folder_ / (part == Part::kSamples ? "inputs.npz" : "labels.npy")).string();
}

absl::Status Evaluation::Append(Part part, absl::string_view bytes) {
  TANDEM_RETURN_IF_ERROR(evaluator_.Proceed(turn_, /*runs=*/false));
  if (evaluator_.options_.state_dir.empty()) {
    return absl::FailedPreconditionError("there is no folder to keep samples in: set --state-dir");
  }
  if (bytes_ + static_cast<int64_t>(bytes.size()) > evaluator_.options_.most_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("samples and labels may have ", evaluator_.options_.most_bytes, " bytes together"));
  }
  std::error_code error;
  if (bytes_ == 0) {
    fs::create_directories(folder_, error);
    fs::permissions(folder_, fs::perms::owner_all, error);  // nobody else needs to read them
  }
  bytes_ += static_cast<int64_t>(bytes.size());
  (part == Part::kSamples ? has_samples_ : has_labels_) = true;
  std::ofstream out(PathOf(part), std::ios::binary | std::ios::app);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return out ? absl::OkStatus() : absl::UnavailableError(absl::StrCat(PathOf(part), ": cannot be written"));
}

absl::StatusOr<std::string> Evaluation::Run(EvaluationFiles files,
                                            const std::function<bool(const Progress&)>& on_progress) {
  TANDEM_RETURN_IF_ERROR(evaluator_.Proceed(turn_, /*runs=*/true));
  if (has_labels_ && !has_samples_) return absl::InvalidArgumentError("labels came without samples");
  if (has_samples_) {
    files.samples = PathOf(Part::kSamples);
    files.labels = has_labels_ ? PathOf(Part::kLabels) : "";
  }
  TANDEM_RETURN_IF_ERROR(CheckFiles(files));
  std::vector<std::string> words = {evaluator_.options_.program, "evaluate"};
  words.insert(words.end(), files.models.begin(), files.models.end());
  words.insert(words.end(), {"--samples", files.samples, "--threads", "1", "--output", "json"});
  if (!files.labels.empty()) words.insert(words.end(), {"--labels", files.labels});
  std::string last;
  TANDEM_ASSIGN_OR_RETURN(const ChildEnd end, RunChild(words, evaluator_.cancel_, [&](absl::string_view line) {
                            last = std::string(line);
                            const auto progress = ParseProgress(line);
                            if (progress.has_value() && !on_progress(*progress)) evaluator_.cancel_.Set();
                          }));
  if (end.exit_code != 1) {
    TANDEM_RETURN_IF_ERROR(StatusOf(end, "the evaluation"));
    return last;
  }
  // It said what is wrong with what it was given.
  std::string why(absl::StripPrefix(end.last_error, "tandem-model: "));
  for (const Part part : {Part::kSamples, Part::kLabels}) {
    if (const size_t at = why.find(PathOf(part)); at != std::string::npos) {
      why.replace(at, PathOf(part).size(), part == Part::kSamples ? "the samples" : "the labels");
    }
  }
  return absl::InvalidArgumentError(why);
}

absl::StatusOr<std::unique_ptr<Evaluation>> Evaluator::Begin() {
  MutexLock lock(mutex_);
  if (stopping_) return absl::UnavailableError("the server is shutting down");
  const Time now = Now();
  if (turn_ != 0 && (runs_ || now - heard_ < options_.patience)) {
    return absl::ResourceExhaustedError("another evaluation runs: try again when it has ended");
  }
  if (turns_ == 0 && !options_.state_dir.empty()) {
    std::error_code ignored;
    fs::remove_all(fs::path(options_.state_dir) / kFolder, ignored);  // of a server that was killed
  }
  turn_ = ++turns_;
  runs_ = false;
  heard_ = now;
  cancel_.Clear();
  return std::unique_ptr<Evaluation>(new Evaluation(*this, turn_));
}

absl::Status Evaluator::Proceed(uint64_t turn, bool runs) {
  MutexLock lock(mutex_);
  if (turn_ != turn) {
    return absl::AbortedError("another evaluation has begun, as nothing was sent for this one for too long");
  }
  runs_ = runs;
  heard_ = Now();
  return absl::OkStatus();
}

void Evaluator::End(uint64_t turn) {
  MutexLock lock(mutex_);
  if (turn_ == turn) turn_ = 0;
}

void Evaluator::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  cancel_.Set();
}

}  // namespace tandem::quantization
