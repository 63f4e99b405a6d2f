// MeasureWide: what several cores make of a model's batches, and the proof that they change no answer.
#ifndef TANDEM_SERVER_MODELS_WIDE_TRIAL_H_
#define TANDEM_SERVER_MODELS_WIDE_TRIAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/model.h"
#include "server/batching/wide.h"
#include "server/models/batch_proof.h"
#include "server/models/warmup.h"

namespace tandem::models {

struct WideOptions {
  int threads = 1;  // of a team; 1: nothing is measured
  int64_t max_rows = 1;
  // How far answers may be from those of one thread, relative to the largest magnitude.
  double tolerance = kFp32Tolerance;
};

struct WideTrial {
  std::vector<batching::WideCost> pays;  // the sizes that batching::PaysWide is true for
  std::string note;                      // for the log; empty when there is nothing to say
};

// Runs the sizes of `narrow_costs` (measured on one thread, by `narrow`, which runs `model`) in a team, as far as the
// time allows; the team has ended when this returns. A size that fails, or answers differently, does not pay.
WideTrial MeasureWide(const std::shared_ptr<const engine::Model>& model, TrialRunner& narrow,
                      absl::Span<const BatchCost> narrow_costs, const WideOptions& options);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_WIDE_TRIAL_H_
