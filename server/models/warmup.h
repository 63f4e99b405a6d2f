// Warm-up: before a version is published it runs, its batching is proven on data, and its costs are measured.
#ifndef TANDEM_SERVER_MODELS_WARMUP_H_
#define TANDEM_SERVER_MODELS_WARMUP_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "config/model_config.h"
#include "engine/model.h"
#include "server/batching/decision.h"

namespace tandem::models {

struct Warmup {
  // Requests may be joined: two random batches gave the same rows together and apart.
  bool shares_batch = false;
  // For the log: why not, or what was measured.
  std::string note;
  batching::BatchLimits limits;
};

// Fails when the model cannot be compiled for shapes that it fixes itself. A model whose free dimensions or data cannot
// be guessed is served without having been run, one request at a time.
absl::StatusOr<Warmup> WarmUp(const std::shared_ptr<const engine::Model>& model, const config::ModelConfig& config);

// The measured time of a batch of `rows`.
struct BatchCost {
  int64_t rows = 1;
  Duration cost{0};
};

// The smallest size whose time per row is within 5 % of the best: larger batches than that only add latency.
// `costs` is not empty.
BatchCost CheapestSize(absl::Span<const BatchCost> costs);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_WARMUP_H_
