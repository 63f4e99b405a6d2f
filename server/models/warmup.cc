#include "server/models/warmup.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/status.h"
#include "server/models/batch_proof.h"
#include "server/models/wide_trial.h"

namespace tandem::models {
namespace {

// Sizes measured when the owner sets none, and the time spent on each at least and on all at most.
constexpr int64_t kMaxRows = 32;
constexpr Duration kMeasure = std::chrono::milliseconds(2);
constexpr Duration kMeasureAll = std::chrono::milliseconds(1500);
constexpr int kMinRuns = 3;

double Microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

absl::StatusOr<Duration> TimeOne(TrialRunner& runner, int64_t rows) {
  const std::vector<engine::Tensor> inputs = runner.RandomInputs(rows);
  Duration best = Duration::max();
  Duration spent{0};
  for (int run = 0; run < kMinRuns || spent < kMeasure; ++run) {
    const Time start = Now();
    TANDEM_RETURN_IF_ERROR(runner.Run(inputs));
    const Duration took = Now() - start;
    // The first run compiles.
    if (run > 0) best = std::min(best, took);
    spent += took;
    if (run > 0 && spent > kMeasureAll) break;
  }
  return best;
}

// Costs of 1, 2, 4... rows up to `max_rows`, as far as the time allows.
absl::StatusOr<std::vector<BatchCost>> Measure(TrialRunner& runner, int64_t max_rows) {
  std::vector<BatchCost> costs;
  const Time start = Now();
  for (int64_t rows = 1;; rows = std::min(rows * 2, max_rows)) {
    TANDEM_ASSIGN_OR_RETURN(const Duration cost, TimeOne(runner, rows));
    costs.push_back({rows, cost});
    // The next size takes about twice as long, several times.
    if (rows >= max_rows || Now() - start + cost * 8 > kMeasureAll) return costs;
  }
}

// How one request at a time does.
absl::StatusOr<std::vector<BatchCost>> MeasureSingly(TrialRunner& runner, std::string why, Warmup& warmup) {
  warmup.note = absl::StrCat("one request at a time", why);
  TANDEM_ASSIGN_OR_RETURN(warmup.limits.row_cost, TimeOne(runner, 1));
  return std::vector<BatchCost>{{1, warmup.limits.row_cost}};
}

// How batches do, which have been proven.
absl::StatusOr<std::vector<BatchCost>> MeasureBatches(TrialRunner& runner, const WarmupOptions& options,
                                                      Warmup& warmup) {
  warmup.shares_batch = true;
  TANDEM_ASSIGN_OR_RETURN(std::vector<BatchCost> costs, Measure(runner, options.max_batch_size.value_or(kMaxRows)));
  const BatchCost best = CheapestSize(costs);
  warmup.limits.max_rows = options.max_batch_size.value_or(best.rows);
  warmup.limits.max_delay = options.max_delay.value_or(Duration{0});
  warmup.limits.row_cost = best.cost / best.rows;
  warmup.note = absl::StrCat("batches of up to ", warmup.limits.max_rows, ", ", Microseconds(best.cost / best.rows),
                             " us a row, ", Microseconds(costs[0].cost), " us alone");
  return costs;
}

absl::StatusOr<std::vector<BatchCost>> MeasureCosts(TrialRunner& runner, const engine::Model& model,
                                                    const WarmupOptions& options, Warmup& warmup) {
  if (!model.batch_is_free()) return MeasureSingly(runner, ": the model fixes its batch", warmup);
  if (!options.may_share_batch) return MeasureSingly(runner, ", as in fp32", warmup);
  const absl::Status proof = ProveBatching(runner, options.tolerance);
  if (!proof.ok()) return MeasureSingly(runner, absl::StrCat(": ", proof.message()), warmup);
  return MeasureBatches(runner, options, warmup);
}

}  // namespace

BatchCost CheapestSize(absl::Span<const BatchCost> costs) {
  const auto per_row = [](const BatchCost& c) { return static_cast<double>(c.cost.count()) / c.rows; };
  double best = per_row(costs[0]);
  for (const BatchCost& cost : costs) best = std::min(best, per_row(cost));
  return *std::find_if(costs.begin(), costs.end(), [&](const BatchCost& c) { return per_row(c) <= best * 1.05; });
}

absl::StatusOr<Warmup> WarmUp(const std::shared_ptr<const engine::Model>& model, const WarmupOptions& options) {
  engine::Session session({.threads = 1});
  Warmup warmup;
  absl::StatusOr<TrialRunner> runner = FindTrial(session, model);
  if (!runner.ok()) {
    const absl::StatusCode code = runner.status().code();
    if (code == absl::StatusCode::kUnimplemented || code == absl::StatusCode::kInternal) return runner.status();
    warmup.note = absl::StrCat("not run at warm-up, one request at a time: ", runner.status().message());
    return warmup;
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<BatchCost> costs, MeasureCosts(*runner, *model, options, warmup));
  // Of shapes that clients choose too little would be known.
  if (HasOtherFreeDims(*model)) return warmup;
  const WideOptions wide{
      .threads = options.wide_threads, .max_rows = warmup.limits.max_rows, .tolerance = options.tolerance};
  WideTrial trial = MeasureWide(model, *runner, costs, wide);
  warmup.wide = std::move(trial.pays);
  if (!trial.note.empty()) absl::StrAppend(&warmup.note, ", ", trial.note);
  return warmup;
}

}  // namespace tandem::models
