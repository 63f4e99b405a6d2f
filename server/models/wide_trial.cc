#include "server/models/wide_trial.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/status.h"

namespace tandem::models {
namespace {

using batching::WideCost;
using engine::Tensor;

// Runs and time spent on a size at least and at most, and on all sizes at most.
constexpr int kMinRuns = 10;
constexpr Duration kMeasure = std::chrono::milliseconds(5);
constexpr Duration kMeasureLongest = std::chrono::milliseconds(400);
constexpr Duration kMeasureAll = std::chrono::milliseconds(800);

// Every run starts the team anew, as the wide executor does.
absl::StatusOr<Duration> BestTime(engine::Session& session, TrialRunner& wide, const std::vector<Tensor>& inputs) {
  Duration best = Duration::max();
  Duration spent{0};
  for (int run = 0; spent < kMeasureLongest && (run < kMinRuns || spent < kMeasure); ++run) {
    const Time start = Now();
    const absl::Status status = wide.Run(inputs);
    const Duration took = Now() - start;
    session.DismissTeam();
    TANDEM_RETURN_IF_ERROR(status);
    best = std::min(best, took);
    spent += took;
  }
  return best;
}

absl::Status CheckSameAnswers(TrialRunner& narrow, TrialRunner& wide, const std::vector<Tensor>& inputs,
                              double tolerance) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> expected, narrow.Outputs(inputs));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> given, wide.Outputs(inputs));
  for (size_t i = 0; i < expected.size(); ++i) {
    if (given[i].shape() != expected[i].shape() || !(RelativeDifference(expected[i], given[i]) <= tolerance)) {
      return absl::FailedPreconditionError(absl::StrCat("output ", i, " depends on the number of threads"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<WideCost> MeasureSize(engine::Session& session, TrialRunner& narrow, TrialRunner& wide,
                                     const BatchCost& narrow_cost, double tolerance) {
  const std::vector<Tensor> inputs = narrow.RandomInputs(narrow_cost.rows);
  const absl::Status same = CheckSameAnswers(narrow, wide, inputs, tolerance);
  session.DismissTeam();
  TANDEM_RETURN_IF_ERROR(same);
  WideCost cost{.rows = narrow_cost.rows, .narrow = narrow_cost.cost};
  TANDEM_ASSIGN_OR_RETURN(cost.wide, BestTime(session, wide, inputs));
  return cost;
}

}  // namespace

WideTrial MeasureWide(const std::shared_ptr<const engine::Model>& model, TrialRunner& narrow,
                      absl::Span<const BatchCost> narrow_costs, const WideOptions& options) {
  WideTrial trial;
  if (options.threads <= 1) return trial;
  engine::Session session({.threads = options.threads});
  TrialRunner wide(session, model, 1);
  const Time start = Now();
  for (const BatchCost& narrow_cost : narrow_costs) {
    if (narrow_cost.rows > options.max_rows || Now() - start > kMeasureAll) break;
    const bool may_pay = batching::PaysWide({.narrow = narrow_cost.cost, .wide = narrow_cost.cost / options.threads});
    if (!may_pay) continue;
    const absl::StatusOr<WideCost> cost = MeasureSize(session, narrow, wide, narrow_cost, options.tolerance);
    if (!cost.ok()) {
      trial.note = absl::StrCat("on one core: ", cost.status().message());
      return trial;
    }
    if (narrow_cost.rows == 1) {
      trial.note = absl::StrCat(std::chrono::duration<double, std::micro>(cost->wide).count(), " us alone on ",
                                options.threads, " cores", batching::PaysWide(*cost) ? "" : ", which does not pay");
    }
    if (batching::PaysWide(*cost)) trial.pays.push_back(*cost);
  }
  return trial;
}

}  // namespace tandem::models
