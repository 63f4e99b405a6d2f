// Warm-up: before a version is published it runs, its batching is proven on data, and its costs are measured.
#ifndef TANDEM_SERVER_MODELS_WARMUP_H_
#define TANDEM_SERVER_MODELS_WARMUP_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/model.h"
#include "server/batching/decision.h"
#include "server/batching/wide.h"

namespace tandem::models {

// How far rows may differ between batches, relative to the largest magnitude. In int8 a difference in the last bit of a
// float may round a stored value up or down, which is a step of 1/255 of its range and more by the end of a network.
inline constexpr double kFp32Tolerance = 1e-4;
inline constexpr double kInt8Tolerance = 0.05;

struct WarmupOptions {
  // As the owner says; unset: found by measuring.
  std::optional<int64_t> max_batch_size;
  std::optional<Duration> max_delay;
  double tolerance = kFp32Tolerance;
  // False: it is known already that requests must not share a batch.
  bool may_share_batch = true;
  // Of the wide executor's team; 1: there is none.
  int wide_threads = 1;
};

struct Warmup {
  // Requests may be joined: two random batches gave the same rows together and apart.
  bool shares_batch = false;
  // For the log: why not, or what was measured.
  std::string note;
  batching::BatchLimits limits;
  // The sizes that pay on several cores; only of shapes that clients cannot choose.
  std::vector<batching::WideCost> wide;
};

// Fails when the model cannot be compiled for shapes that it fixes itself. A model whose free dimensions or data cannot
// be guessed is served without having been run, one request at a time.
absl::StatusOr<Warmup> WarmUp(const std::shared_ptr<const engine::Model>& model, const WarmupOptions& options);

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
