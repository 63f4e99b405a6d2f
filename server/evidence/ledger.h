// Ledger: the evidence about one pair of variants: what they answered to the same requests, what both took, and how
// often each was right where clients told. It tests whether the candidate keeps within its budget and, while the
// candidate serves, watches whether it still does.
//
//   ledger.Add(CompareOutputs(fp32, int8));
//   if (ledger.standing().verdict == Verdict::kProven) ...
//
// Each attempt at a proof has its own share of the error that is allowed (AlphaOfAttempt); a verdict or an alarm stays
// until the next attempt. Where accuracy has been decided by outcomes that verdict counts, else the one about changed
// answers. Thread-safe.
#ifndef TANDEM_SERVER_EVIDENCE_LEDGER_H_
#define TANDEM_SERVER_EVIDENCE_LEDGER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/mutex.h"
#include "server/evidence/change_detector.h"
#include "server/evidence/comparison.h"
#include "server/evidence/recent_inputs.h"
#include "server/evidence/record.h"
#include "server/evidence/sequential_test.h"
#include "server/evidence/summary.h"
#include "server/evidence/terms.h"

namespace tandem::evidence {

// With losses exactly at the budget a false alarm comes once in so many comparisons at most.
inline constexpr double kRunLength = 100'000;

class Ledger {
 public:
  explicit Ledger(const Terms& terms);

  const Terms& terms() const { return terms_; }

  // Whether an input of this hash was not compared lately; else counts a duplicate.
  bool IsNew(uint64_t input_hash);
  void Add(const Comparison& comparison);
  // Requests that were chosen to be compared and were not.
  void AddDropped(uint64_t count = 1);
  // The outcome of a request that one variant has answered.
  void AddOutcome(bool of_candidate, bool right);
  // The outcome of a request that both have answered, whichever the client got.
  void AddPair(bool baseline_right, bool candidate_right);

  // The candidate serves from now on, and is watched. Where it had been rejected the next attempt begins.
  void BeginServing();
  // It serves no more. Unless it was rejected, the next attempt at a proof begins.
  void EndServing();

  Standing standing() const;
  bool has_news() const;
  // A verdict that nobody has been told of yet.
  std::optional<Verdict> TakeNews();
  Summary Summarize() const;

  std::string Serialize() const;
  // What Serialize gave, if anything was added since it was last called.
  std::optional<std::string> SerializeIfChanged();
  // Takes over what Serialize gave. An error leaves the ledger as it was: DATA_LOSS for damage, UNIMPLEMENTED for a
  // newer format, FAILED_PRECONDITION for evidence about other terms.
  absl::Status Restore(absl::string_view blob);

 private:
  void BeginAttempt() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetMetric(Metric metric) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Verdict VerdictLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Standing StandingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Record RecordLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Claim ChangesClaim(Metric metric) const;
  Claim AccuracyClaim() const;

  const Terms terms_;

  mutable Mutex mutex_;
  Record record_ ABSL_GUARDED_BY(mutex_);  // but for the states of the tests and latencies since it was restored
  SequentialTest changes_ ABSL_GUARDED_BY(mutex_);
  SequentialTest accuracy_ ABSL_GUARDED_BY(mutex_);
  ChangeDetector changes_watch_ ABSL_GUARDED_BY(mutex_);
  ChangeDetector accuracy_watch_ ABSL_GUARDED_BY(mutex_);
  metrics::LatencyHistogram baseline_latency_ ABSL_GUARDED_BY(mutex_);
  metrics::LatencyHistogram candidate_latency_ ABSL_GUARDED_BY(mutex_);
  RecentInputs recent_ ABSL_GUARDED_BY(mutex_);
  Verdict told_ ABSL_GUARDED_BY(mutex_) = Verdict::kUndecided;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_LEDGER_H_
