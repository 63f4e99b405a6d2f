#include "server/shadow/promoter.h"

#include <chrono>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/evidence/terms.h"

namespace tandem::shadow {
namespace {

using evidence::Standing;
using evidence::Verdict;
using models::AutoState;
using models::LaneState;
using models::Version;

bool MadeForStudy(const models::Lane& lane) { return lane.report != nullptr && lane.report->method == "binary"; }

// As measured at warm-up; what could not be measured is given the benefit of the doubt.
bool IsSlower(const models::Variant& int8, const models::Variant& fp32) {
  const Duration after = int8.queue->options().batch.row_cost, before = fp32.queue->options().batch.row_cost;
  return before.count() > 0 && after > before;
}

AutoState StateFor(const Standing& standing, bool may_serve) {
  return {.int8_serves = standing.candidate_serves,
          .gathers = may_serve && !standing.candidate_serves && standing.verdict != Verdict::kRejected,
          .attempt = standing.attempt,
          .since = std::chrono::system_clock::now()};
}

bool Same(const AutoState& a, const AutoState& b) {
  return a.int8_serves == b.int8_serves && a.gathers == b.gathers && a.attempt == b.attempt;
}

}  // namespace

absl::string_view NameOf(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kPromoted:
      return "promoted";
    case Event::Kind::kDemoted:
      return "demoted";
    case Event::Kind::kProven:
      return "proven";
    case Event::Kind::kRejected:
      return "rejected";
  }
  return "";
}

Step NextStep(const Standing& standing, const Facts& facts) {
  if (!facts.routed_by_auto) return Step::kNone;
  if (standing.candidate_serves) {
    return standing.alarm || standing.verdict == Verdict::kRejected ? Step::kDemote : Step::kNone;
  }
  return facts.may_serve && standing.verdict == Verdict::kProven ? Step::kPromote : Step::kNone;
}

Facts FactsOf(const Version& version) {
  return {.routed_by_auto = version.route.mode == "auto",
          .may_serve = version.int8 != nullptr && version.lane.state != LaneState::kRejected &&
                       !MadeForStudy(version.lane) && !IsSlower(*version.int8, *version.fp32)};
}

AutoState Promoter::Join(const models::LaneStatus& joining, const config::QuantizationConfig& settings) {
  MutexLock lock(mutex_);
  const models::Lane& lane = joining.lane;
  if (lane.report == nullptr) return {};
  const auto ledger =
      ledgers_.Open(evidence::VariantsOf(joining.model, joining.version), evidence::TermsFor(settings, *lane.report));
  const bool trusted = lane.state != LaneState::kRejected && !MadeForStudy(lane);
  const Standing standing = ledger->standing();
  // Of the first attempt nothing has been heard: what was found when it was built counts.
  const bool untried = standing.attempt == 1 && standing.verdict != Verdict::kRejected;
  if (trusted && lane.state == LaneState::kProven && untried && !standing.candidate_serves) ledger->BeginServing();
  if (!trusted && standing.candidate_serves) ledger->EndServing();
  return StateFor(ledger->standing(), trusted);
}

std::shared_ptr<evidence::Ledger> Promoter::LedgerOf(const Version& version) const {
  if (version.int8 == nullptr || version.lane.report == nullptr) return nullptr;
  auto ledger = ledgers_.Find(evidence::VariantsOf(version.model_name, version.number));
  if (ledger == nullptr || ledger->terms().subject != version.lane.report->artifact_sha256) return nullptr;
  return ledger;
}

bool Promoter::SomethingIsDue(const Version& version, evidence::Ledger& ledger) const {
  const Facts facts = FactsOf(version);
  const Standing standing = ledger.standing();
  return ledger.has_news() || NextStep(standing, facts) != Step::kNone ||
         !Same(version.auto_state, StateFor(standing, facts.may_serve));
}

void Promoter::Consider(const Version& seen) {
  const auto ledger = LedgerOf(seen);
  if (ledger == nullptr || !SomethingIsDue(seen, *ledger)) return;
  // Whoever holds the lock sees to it, or the next comparison does.
  if (!mutex_.TryLock()) return;
  TakeStep(seen);
  mutex_.Unlock();
}

void Promoter::TakeStep(const Version& seen) {
  const auto found = registry_.Find(seen.model_name, absl::StrCat(seen.number));
  if (!found.ok()) return;
  const Version& version = **found;
  const auto ledger = LedgerOf(version);
  if (ledger == nullptr) return;
  const std::string why = ledger->Summarize().reason;
  std::vector<Event::Kind> kinds;
  const std::optional<Verdict> news = ledger->TakeNews();
  if (news == Verdict::kProven) kinds.push_back(Event::Kind::kProven);
  if (news == Verdict::kRejected) kinds.push_back(Event::Kind::kRejected);
  const Step step = NextStep(ledger->standing(), FactsOf(version));
  if (step == Step::kPromote) {
    ledger->BeginServing();
    kinds.push_back(Event::Kind::kPromoted);
  } else if (step == Step::kDemote) {
    ledger->EndServing();
    kinds.push_back(Event::Kind::kDemoted);
  }
  Apply(version, ledger->standing());
  // Last, as whoever writes it down may take a while.
  for (Event::Kind kind : kinds) Tell(version, kind, why);
}

void Promoter::TellNews(const evidence::Pair& versions, evidence::Ledger& ledger) {
  if (!ledger.has_news()) return;
  const std::optional<Verdict> news = ledger.TakeNews();
  if (!news.has_value() || *news == Verdict::kUndecided || !on_event_) return;
  on_event_({.model = versions.model,
             .version = versions.candidate.version,
             .baseline_version = versions.baseline.version,
             .kind = *news == Verdict::kProven ? Event::Kind::kProven : Event::Kind::kRejected,
             .why = ledger.Summarize().reason});
}

void Promoter::Apply(const Version& version, const Standing& standing) {
  const AutoState wanted = StateFor(standing, FactsOf(version).may_serve);
  if (Same(version.auto_state, wanted)) return;
  registry_.Change(version.model_name, version.number, [&](Version& changed) {
    // Another sibling may have taken its place meanwhile.
    if (changed.int8 == version.int8) changed.auto_state = wanted;
  });
  // A server that is started again must not serve what this one has found to be bad.
  if (version.auto_state.int8_serves != wanted.int8_serves) ledgers_.Save();
}

absl::Status Promoter::Promote(const std::string& model, int64_t number, bool force) {
  MutexLock lock(mutex_);
  TANDEM_ASSIGN_OR_RETURN(const models::VersionHandle version, registry_.Find(model, absl::StrCat(number)));
  if (version->route.between_versions()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the route is between versions: version ", version->route.candidate_version,
                     " takes over, if it is the newest, when it is no candidate any more"));
  }
  const auto ledger = LedgerOf(*version);
  if (ledger == nullptr) return absl::FailedPreconditionError(Describe(version->lane));
  if (version->route.mode != "auto") {
    return absl::FailedPreconditionError(absl::StrCat("the route is ", version->route.mode, "; only auto is promoted"));
  }
  const Standing standing = ledger->standing();
  if (standing.candidate_serves) return absl::OkStatus();
  const std::string reason = ledger->Summarize().reason;
  const bool proven = standing.verdict == Verdict::kProven || version->lane.state == LaneState::kProven;
  if (!proven && !force) return absl::FailedPreconditionError(absl::StrCat("int8 is not proven: ", reason));
  ledger->BeginServing();
  Apply(*version, ledger->standing());
  Tell(*version, Event::Kind::kPromoted, absl::StrCat(proven ? "asked for: " : "forced: ", reason));
  return absl::OkStatus();
}

absl::Status Promoter::Demote(const std::string& model, int64_t number, const std::string& why) {
  MutexLock lock(mutex_);
  TANDEM_ASSIGN_OR_RETURN(const models::VersionHandle version, registry_.Find(model, absl::StrCat(number)));
  const auto ledger = LedgerOf(*version);
  if (ledger == nullptr || !ledger->standing().candidate_serves) {
    return absl::FailedPreconditionError("int8 does not serve by the route auto");
  }
  ledger->EndServing();
  Apply(*version, ledger->standing());
  Tell(*version, Event::Kind::kDemoted, why);
  return absl::OkStatus();
}

void Promoter::Tell(const Version& version, Event::Kind kind, const std::string& why) {
  if (on_event_) on_event_({.model = version.model_name, .version = version.number, .kind = kind, .why = why});
}

}  // namespace tandem::shadow
