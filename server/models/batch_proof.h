// Trial runs of a model on random data, and the proof that its requests may share a batch.
#ifndef TANDEM_SERVER_MODELS_BATCH_PROOF_H_
#define TANDEM_SERVER_MODELS_BATCH_PROOF_H_

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/model.h"
#include "engine/session.h"

namespace tandem::models {

// Runs one model on random inputs. Belongs to the session's thread.
class TrialRunner {
 public:
  // Free dimensions other than the batch become `free_dim`.
  TrialRunner(engine::Session& session, std::shared_ptr<const engine::Model> model, int64_t free_dim)
      : session_(&session), model_(std::move(model)), free_dim_(free_dim) {}

  // Runs once; the results are dropped.
  absl::Status Run(const std::vector<engine::Tensor>& inputs);

  // Random inputs of `rows` rows, one a model input.
  std::vector<engine::Tensor> RandomInputs(int64_t rows);
  // The outputs for `inputs`, copied.
  absl::StatusOr<std::vector<engine::Tensor>> Outputs(const std::vector<engine::Tensor>& inputs);
  int64_t free_dim() const { return free_dim_; }

 private:
  absl::StatusOr<engine::Execution*> Prepare(const std::vector<engine::Tensor>& inputs);

  engine::Session* session_;
  std::shared_ptr<const engine::Model> model_;
  int64_t free_dim_;
  std::mt19937 random_{20240521};
};

// Whether clients choose more of the inputs' shapes than the batch.
bool HasOtherFreeDims(const engine::Model& model);

// A runner that has run once, with the first of some sizes of its free dimensions that the model takes; the error of
// the last one when it takes none.
absl::StatusOr<TrialRunner> FindTrial(engine::Session& session, const std::shared_ptr<const engine::Model>& model);

// OK when two different random batches give the same rows together as apart, to `tolerance` of the largest magnitude;
// FAILED_PRECONDITION naming the output that differs otherwise.
absl::Status ProveBatching(TrialRunner& runner, double tolerance);

// Rows of two tensors, one after the other; types and other dimensions must agree.
engine::Tensor Concatenate(const engine::Tensor& a, const engine::Tensor& b);

// The largest difference of two tensors of one shape and type, relative to the largest magnitude in `expected`;
// infinite when only one of two elements is NaN. Exact types count any difference as 1.
double RelativeDifference(const engine::Tensor& expected, const engine::Tensor& given);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_BATCH_PROOF_H_
