#include "server/evidence/ledger.h"

#include <algorithm>
#include <utility>

#include "engine/status.h"

namespace tandem::evidence {
namespace {

constexpr size_t kWindow = 10'000;  // inputs within which one is counted once

void AddTo(std::vector<OutputTotals>& totals, const Comparison& comparison) {
  totals.resize(std::max(totals.size(), comparison.outputs.size()));
  for (size_t i = 0; i < comparison.outputs.size(); ++i) {
    const OutputDifference& output = comparison.outputs[i];
    OutputTotals& total = totals[i];
    total.real = output.real;
    total.rows += output.rows;
    total.changed += output.changed;
    total.noise += output.noise;
    total.most_noise = std::max(total.most_noise, output.noise);
    total.cosine += output.cosine;
  }
}

}  // namespace

Ledger::Ledger(const Terms& terms)
    : terms_(terms),
      record_{.terms = terms},
      changes_(ChangesClaim(Metric::kAgreement), AlphaOfAttempt(terms.alpha, 1)),
      accuracy_(AccuracyClaim(), AlphaOfAttempt(terms.alpha, 1)),
      changes_watch_(ChangesClaim(Metric::kAgreement), kRunLength),
      accuracy_watch_(AccuracyClaim(), kRunLength),
      recent_(kWindow) {
  if (terms.metric.has_value()) SetMetric(*terms.metric);
}

Claim Ledger::ChangesClaim(Metric metric) const {
  return {.budget = metric == Metric::kAgreement ? terms_.changed_budget : terms_.noise_budget};
}

Claim Ledger::AccuracyClaim() const { return {.budget = terms_.accuracy_budget, .low = -1, .high = 1}; }

void Ledger::SetMetric(Metric metric) {
  record_.metric = metric;
  changes_ = SequentialTest(ChangesClaim(metric), AlphaOfAttempt(terms_.alpha, record_.attempt));
  changes_watch_ = ChangeDetector(ChangesClaim(metric), kRunLength);
}

void Ledger::BeginAttempt() {
  const double alpha = AlphaOfAttempt(terms_.alpha, record_.attempt);
  changes_ = SequentialTest(ChangesClaim(record_.metric.value_or(Metric::kAgreement)), alpha);
  accuracy_ = SequentialTest(AccuracyClaim(), alpha);
  told_ = Verdict::kUndecided;
}

bool Ledger::IsNew(uint64_t input_hash) {
  MutexLock lock(mutex_);
  if (recent_.Add(input_hash)) return true;
  ++record_.duplicates;
  changed_ = true;
  return false;
}

void Ledger::Add(const Comparison& comparison) {
  MutexLock lock(mutex_);
  if (!record_.metric.has_value()) SetMetric(comparison.metric);
  const double loss = LossOf(comparison, *record_.metric);
  changes_.Add(loss);
  if (record_.candidate_serves) changes_watch_.Add(loss);
  ++record_.comparisons;
  AddTo(record_.outputs, comparison);
  baseline_latency_.Observe(static_cast<uint64_t>(std::max<int64_t>(comparison.baseline_time.count(), 0)));
  candidate_latency_.Observe(static_cast<uint64_t>(std::max<int64_t>(comparison.candidate_time.count(), 0)));
  changed_ = true;
}

void Ledger::AddDropped(uint64_t count) {
  if (count == 0) return;
  MutexLock lock(mutex_);
  record_.dropped += static_cast<int64_t>(count);
  changed_ = true;
}

void Ledger::AddOutcome(bool of_candidate, bool right) {
  MutexLock lock(mutex_);
  ArmTotals& arm = of_candidate ? record_.candidate : record_.baseline;
  ++arm.outcomes;
  arm.right += right ? 1 : 0;
  changed_ = true;
}

void Ledger::AddPair(bool baseline_right, bool candidate_right) {
  MutexLock lock(mutex_);
  const double loss = (baseline_right ? 1 : 0) - (candidate_right ? 1 : 0);
  accuracy_.Add(loss);
  if (record_.candidate_serves) accuracy_watch_.Add(loss);
  ++record_.pairs;
  ++record_.baseline.outcomes;
  ++record_.candidate.outcomes;
  record_.baseline.right += baseline_right ? 1 : 0;
  record_.candidate.right += candidate_right ? 1 : 0;
  changed_ = true;
}

void Ledger::BeginServing() {
  MutexLock lock(mutex_);
  if (VerdictLocked() == Verdict::kRejected) {
    ++record_.attempt;
    BeginAttempt();
  }
  record_.candidate_serves = true;
  changes_watch_.Reset();
  accuracy_watch_.Reset();
  changed_ = true;
}

void Ledger::EndServing() {
  MutexLock lock(mutex_);
  record_.candidate_serves = false;
  if (VerdictLocked() != Verdict::kRejected) {
    ++record_.attempt;
    BeginAttempt();
  }
  changes_watch_.Reset();
  accuracy_watch_.Reset();
  changed_ = true;
}

Verdict Ledger::VerdictLocked() const {
  return accuracy_.verdict() != Verdict::kUndecided ? accuracy_.verdict() : changes_.verdict();
}

Standing Ledger::StandingLocked() const {
  return {.attempt = record_.attempt,
          .candidate_serves = record_.candidate_serves,
          .verdict = VerdictLocked(),
          .alarm = changes_watch_.alarm() || accuracy_watch_.alarm()};
}

Standing Ledger::standing() const {
  MutexLock lock(mutex_);
  return StandingLocked();
}

bool Ledger::has_news() const {
  MutexLock lock(mutex_);
  return told_ != VerdictLocked();
}

std::optional<Verdict> Ledger::TakeNews() {
  MutexLock lock(mutex_);
  const Verdict verdict = VerdictLocked();
  if (std::exchange(told_, verdict) == verdict) return std::nullopt;
  return verdict;
}

Record Ledger::RecordLocked() const {
  Record record = record_;
  record.changes = changes_.state();
  record.accuracy = accuracy_.state();
  record.changes_watch = changes_watch_.state();
  record.accuracy_watch = accuracy_watch_.state();
  baseline_latency_.AddTo(record.baseline.latency);
  candidate_latency_.AddTo(record.candidate.latency);
  return record;
}

Summary Ledger::Summarize() const {
  std::optional<SequentialTest> changes, accuracy;
  Record record;
  Standing standing;
  {
    MutexLock lock(mutex_);
    changes = changes_;
    accuracy = accuracy_;
    record = RecordLocked();
    standing = StandingLocked();
  }
  const TestSummary of_changes = SummaryOf(*changes, record.changes_watch.alarm, terms_.alpha);
  const TestSummary of_accuracy = SummaryOf(*accuracy, record.accuracy_watch.alarm, terms_.alpha);
  return evidence::Summarize(std::move(record), standing, of_changes, of_accuracy);
}

std::string Ledger::Serialize() const {
  Record record;
  {
    MutexLock lock(mutex_);
    record = RecordLocked();
  }
  return Encode(record);
}

std::optional<std::string> Ledger::SerializeIfChanged() {
  Record record;
  {
    MutexLock lock(mutex_);
    if (!std::exchange(changed_, false)) return std::nullopt;
    record = RecordLocked();
  }
  return Encode(record);
}

absl::Status Ledger::Restore(absl::string_view blob) {
  TANDEM_ASSIGN_OR_RETURN(Record record, Decode(blob));
  if (record.terms != terms_) {
    return absl::FailedPreconditionError("the evidence is about another artifact or other budgets");
  }
  if (record.attempt < 1) return absl::DataLossError("the evidence has no attempt");
  const double alpha = AlphaOfAttempt(terms_.alpha, record.attempt);
  const Claim changes_claim = ChangesClaim(record.metric.value_or(Metric::kAgreement));
  TANDEM_ASSIGN_OR_RETURN(SequentialTest changes, SequentialTest::Restore(changes_claim, alpha, record.changes));
  TANDEM_ASSIGN_OR_RETURN(SequentialTest accuracy, SequentialTest::Restore(AccuracyClaim(), alpha, record.accuracy));
  TANDEM_ASSIGN_OR_RETURN(ChangeDetector changes_watch,
                          ChangeDetector::Restore(changes_claim, kRunLength, record.changes_watch));
  TANDEM_ASSIGN_OR_RETURN(ChangeDetector accuracy_watch,
                          ChangeDetector::Restore(AccuracyClaim(), kRunLength, record.accuracy_watch));
  MutexLock lock(mutex_);
  record_ = std::move(record);
  changes_ = std::move(changes);
  accuracy_ = std::move(accuracy);
  changes_watch_ = std::move(changes_watch);
  accuracy_watch_ = std::move(accuracy_watch);
  told_ = VerdictLocked();
  return absl::OkStatus();
}

}  // namespace tandem::evidence
