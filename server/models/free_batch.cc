#include "server/models/free_batch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/status.h"
#include "server/models/batch_proof.h"
#include "server/models/warmup.h"

namespace tandem::models {
namespace {

using engine::Model;
using engine::Tensor;

bool IsOfOneRow(const engine::TensorSpec& spec) { return spec.has_rank && !spec.shape.empty() && spec.shape[0] == 1; }

bool FixesBatchToOne(const Model& model) {
  return !model.inputs().empty() && std::all_of(model.inputs().begin(), model.inputs().end(), IsOfOneRow) &&
         std::all_of(model.outputs().begin(), model.outputs().end(), IsOfOneRow);
}

// What a model was seen to answer, its free dimensions being `free_dim`.
struct Answers {
  struct One {
    std::vector<Tensor> inputs, outputs;
  };
  int64_t free_dim = 1;
  std::vector<One> all;
};

absl::StatusOr<Answers> Ask(const std::shared_ptr<const Model>& model) {
  constexpr int kAsked = 3;
  engine::Session session({.threads = 1});
  TANDEM_ASSIGN_OR_RETURN(TrialRunner runner, FindTrial(session, model));
  Answers answers{.free_dim = runner.free_dim(), .all = {}};
  for (int i = 0; i < kAsked; ++i) {
    Answers::One one{.inputs = runner.RandomInputs(1), .outputs = {}};
    TANDEM_ASSIGN_OR_RETURN(one.outputs, runner.Outputs(one.inputs));
    answers.all.push_back(std::move(one));
  }
  return answers;
}

// OK when `model` answers as the one did that `answers` are of, and a row as it does alone in any batch.
absl::Status Prove(const std::shared_ptr<const Model>& model, const Answers& answers) {
  engine::Session session({.threads = 1});
  TrialRunner runner(session, model, answers.free_dim);
  for (const Answers::One& one : answers.all) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, runner.Outputs(one.inputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const bool same = outputs[i].shape() == one.outputs[i].shape() &&
                        RelativeDifference(one.outputs[i], outputs[i]) <= kFp32Tolerance;
      if (!same) return absl::FailedPreconditionError(absl::StrCat("output ", i, " is another one"));
    }
  }
  return ProveBatching(runner, kFp32Tolerance);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Model>> LoadFreeingBatch(const std::string& file) {
  TANDEM_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, Model::Load(file));
  if (!FixesBatchToOne(*model)) return model;
  const auto answers = Ask(model);
  if (!answers.ok()) return model;  // it cannot be run on guesses
  model.reset();
  const auto freed = Model::Load(file, {.free_batch = true});
  if (freed.ok() && (*freed)->batch_was_freed() && Prove(*freed, *answers).ok()) return freed;
  return Model::Load(file);
}

}  // namespace tandem::models
