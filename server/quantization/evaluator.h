// Evaluator: scores models on samples, one evaluation at a time, in a child process: `tandem-model evaluate`.
//
// An evaluation whose caller has sent nothing for a while, and is not done with sending, gives way to the next one.
//
//   ASSIGN(std::unique_ptr<Evaluation> evaluation, evaluator.Begin());
//   evaluation->Append(Evaluation::Part::kSamples, bytes);  // of samples that a caller sends, piece by piece
//   ASSIGN(std::string line, evaluation->Run(files, on_progress));
#ifndef TANDEM_SERVER_QUANTIZATION_EVALUATOR_H_
#define TANDEM_SERVER_QUANTIZATION_EVALUATOR_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/mutex.h"
#include "server/quantization/child_process.h"
#include "server/quantization/progress.h"
#include "server/sync/time.h"

namespace tandem::quantization {

struct EvaluatorOptions {
  std::string state_dir;                  // what callers send is kept there meanwhile; empty: they cannot send anything
  std::string program;                    // tandem-model
  int64_t most_bytes = int64_t{4} << 30;  // that a caller may send
  Duration patience = std::chrono::seconds(10);  // with a caller who sends nothing while another one waits
};

struct EvaluationFiles {
  std::vector<std::string> models;  // the first is the one that the others are compared with
  // Where the caller sent none. Empty: there are none.
  std::string samples;
  std::string labels;
};

class Evaluator;

// Belongs to one thread. The next one can begin when it has gone, and with it what was sent. ABORTED from any call says
// that it has given way to another one.
class Evaluation {
 public:
  enum class Part { kSamples, kLabels };

  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  // RESOURCE_EXHAUSTED when that is too much, UNAVAILABLE when it cannot be written.
  absl::Status Append(Part part, absl::string_view bytes);
  // Returns the last line that the child wrote, a JSON object. `on_progress` returns false to end it: CANCELLED then,
  // and when the evaluator stops. INVALID_ARGUMENT says what is wrong with the samples or labels, FAILED_PRECONDITION
  // that there are none.
  absl::StatusOr<std::string> Run(EvaluationFiles files, const std::function<bool(const Progress&)>& on_progress);

 private:
  friend class Evaluator;
  Evaluation(Evaluator& evaluator, uint64_t turn);

  std::string PathOf(Part part) const;

  Evaluator& evaluator_;
  const uint64_t turn_;
  const std::filesystem::path folder_;
  int64_t bytes_ = 0;
  bool has_samples_ = false, has_labels_ = false;  // that were sent
};

// Thread-safe.
class Evaluator {
 public:
  explicit Evaluator(EvaluatorOptions options) : options_(std::move(options)) {}

  // RESOURCE_EXHAUSTED while another one runs, UNAVAILABLE after Stop. It must not outlive the evaluator.
  absl::StatusOr<std::unique_ptr<Evaluation>> Begin();
  // Kills what runs and begins nothing more.
  void Stop();

 private:
  friend class Evaluation;
  // The evaluation goes on receiving, or from now on runs. ABORTED when it is no longer its turn.
  absl::Status Proceed(uint64_t turn, bool runs);
  void End(uint64_t turn);

  const EvaluatorOptions options_;
  CancelSignal cancel_;

  Mutex mutex_;
  uint64_t turns_ ABSL_GUARDED_BY(mutex_) = 0;  // that were given
  uint64_t turn_ ABSL_GUARDED_BY(mutex_) = 0;   // whose it is; 0: nobody's
  bool runs_ ABSL_GUARDED_BY(mutex_) = false;   // it has all that it waits for
  Time heard_ ABSL_GUARDED_BY(mutex_){};        // when its caller last sent something
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_EVALUATOR_H_
