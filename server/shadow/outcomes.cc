#include "server/shadow/outcomes.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::shadow {
namespace {

std::string Name(const std::string& model, const std::string& id) {
  return absl::StrCat("request \"", absl::CHexEscape(absl::string_view(id).substr(0, 120)), "\" of model \"",
                      absl::CHexEscape(absl::string_view(model).substr(0, 120)), "\"");
}

}  // namespace

void Outcomes::Answered(shadow::Answered answered, const config::OutcomesConfig& limits) {
  MutexLock lock(mutex_);
  Model& model = models_[answered.model];
  const std::string id = answered.id;
  const Time forgotten = answered.at + limits.max_age;
  model.by_id[id] = {.answered = std::move(answered), .forgotten = forgotten, .number = ++numbers_};
  model.order.emplace_back(id, numbers_);
  while (static_cast<int64_t>(model.order.size()) > limits.keep) DropOldest(model);
}

void Outcomes::DropOldest(Model& model) {
  const auto [id, number] = std::move(model.order.front());
  model.order.pop_front();
  const auto found = model.by_id.find(id);
  if (found != model.by_id.end() && found->second.number == number) model.by_id.erase(found);
}

void Outcomes::Compared(const std::string& model, const std::string& id, std::optional<int64_t> other_answer) {
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  if (found == models_.end()) return;
  const auto kept = found->second.by_id.find(id);
  if (kept != found->second.by_id.end()) kept->second.other_answer = other_answer;
}

absl::StatusOr<Outcomes::Kept> Outcomes::Take(const std::string& model, const std::string& id, Needs needs, Time now) {
  MutexLock lock(mutex_);
  const auto unknown = [&] {
    return absl::NotFoundError(absl::StrCat(
        Name(model, id), ": no answer is kept (outcomes.keep, outcomes.max_age), or its outcome has been reported"));
  };
  const auto found = models_.find(model);
  if (found == models_.end()) return unknown();
  const auto at = found->second.by_id.find(id);
  if (at == found->second.by_id.end()) return unknown();
  const bool old = at->second.forgotten < now;
  if (!old && needs == Needs::kClass && !at->second.answered.answer.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(model, id), " was not answered with one class: report whether it was right"));
  }
  Kept kept = std::move(at->second);
  found->second.by_id.erase(at);
  if (old) return unknown();
  return kept;
}

absl::StatusOr<Outcome> Outcomes::Report(const std::string& model, const std::string& id, int64_t label, Time now) {
  TANDEM_ASSIGN_OR_RETURN(const Kept kept, Take(model, id, Needs::kClass, now));
  Outcome outcome{.right = *kept.answered.answer == label};
  if (kept.other_answer.has_value()) outcome.other_right = *kept.other_answer == label;
  return Count(kept, outcome);
}

absl::StatusOr<Outcome> Outcomes::ReportRight(const std::string& model, const std::string& id, bool right, Time now) {
  TANDEM_ASSIGN_OR_RETURN(const Kept kept, Take(model, id, Needs::kNothing, now));
  Outcome outcome{.right = right};
  // Where both have said the same, both were right or both were wrong.
  if (kept.answered.answer.has_value() && kept.other_answer == kept.answered.answer) outcome.other_right = right;
  return Count(kept, outcome);
}

Outcome Outcomes::Count(const Kept& kept, Outcome outcome) {
  outcome.version = kept.answered.version;
  outcome.by = kept.answered.by;
  const shadow::Answered& answered = kept.answered;
  const bool of_versions = answered.arms.candidate != 0;
  const evidence::Pair pair =
      of_versions ? evidence::VersionsOf(answered.model, answered.arms.baseline, answered.arms.candidate)
                  : evidence::VariantsOf(answered.model, outcome.version);
  const bool by_candidate =
      of_versions ? outcome.version == answered.arms.candidate : outcome.by == models::Precision::kInt8;
  const auto ledger = ledgers_.Find(pair);
  if (ledger == nullptr) return outcome;
  if (!outcome.other_right.has_value()) {
    ledger->AddOutcome(by_candidate, outcome.right);
  } else if (by_candidate) {
    ledger->AddPair(*outcome.other_right, outcome.right);
  } else {
    ledger->AddPair(outcome.right, *outcome.other_right);
  }
  if (of_versions) {
    promoter_.TellNews(pair, *ledger);
    return outcome;
  }
  if (const auto version = registry_.Find(kept.answered.model, absl::StrCat(outcome.version)); version.ok()) {
    promoter_.Consider(**version);
  }
  return outcome;
}

size_t Outcomes::kept(const std::string& model) const {
  MutexLock lock(mutex_);
  const auto found = models_.find(model);
  return found == models_.end() ? 0 : found->second.by_id.size();
}

}  // namespace tandem::shadow
