// Outcomes: what clients tell later of requests that were answered: whether the answer was right.
//
//   outcomes.Answered({...});                     // each request, where the model's owner wants it
//   outcomes.Compared("m", id, other_answer);     // the shadow, where it has run the other variant
//   status = outcomes.Report("m", id, 7);         // a client: the true class was 7
//
// An outcome counts once, for the variant that answered; where both have answered it counts for both, as a pair.
// Answers are kept by model and id in bounded numbers and for a bounded time. Thread-safe.
#ifndef TANDEM_SERVER_SHADOW_OUTCOMES_H_
#define TANDEM_SERVER_SHADOW_OUTCOMES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "config/model_config.h"
#include "engine/mutex.h"
#include "server/evidence/ledgers.h"
#include "server/models/registry.h"
#include "server/models/variant.h"
#include "server/shadow/promoter.h"
#include "server/sync/time.h"

namespace tandem::shadow {

// The versions between which a route has chosen. 0: it was between variants.
struct Arms {
  int64_t baseline = 0, candidate = 0;
};

// A request that was answered.
struct Answered {
  std::string model;
  int64_t version = 1;
  std::string id;
  models::Precision by = models::Precision::kFp32;
  Arms arms;
  std::optional<int64_t> answer;  // its class, where the request had one answer (evidence::AnswerOf)
  Time at{};
};

// What a report came to.
struct Outcome {
  int64_t version = 1;
  models::Precision by = models::Precision::kFp32;
  bool right = false;
  std::optional<bool> other_right;  // where the other variant has answered too
};

class Outcomes {
 public:
  // All must outlive it.
  Outcomes(models::Registry& registry, evidence::Ledgers& ledgers, Promoter& promoter)
      : registry_(registry), ledgers_(ledgers), promoter_(promoter) {}

  // Keeps an answer; the oldest of its model make room. An id that is kept already means the later request.
  void Answered(shadow::Answered answered, const config::OutcomesConfig& limits);
  // The other variant has answered too. Nothing where the request is not kept any more.
  void Compared(const std::string& model, const std::string& id, std::optional<int64_t> other_answer);

  // The true class of a request. NOT_FOUND when no answer of this id is kept, or its outcome has been reported;
  // FAILED_PRECONDITION when it had no class, or several.
  absl::StatusOr<Outcome> Report(const std::string& model, const std::string& id, int64_t label, Time now);
  // Whether the answer was right, for a client that knows no class. The other variant's cannot be known by that.
  absl::StatusOr<Outcome> ReportRight(const std::string& model, const std::string& id, bool right, Time now);

  size_t kept(const std::string& model) const;

 private:
  struct Kept {
    shadow::Answered answered;
    std::optional<int64_t> other_answer;
    Time forgotten{};
    uint64_t number = 0;  // tells it from an older answer of the same id
  };
  struct Model {
    absl::flat_hash_map<std::string, Kept> by_id;
    std::deque<std::pair<std::string, uint64_t>> order;  // ids, oldest first; some have been taken or replaced
  };

  enum class Needs { kNothing, kClass };
  absl::StatusOr<Kept> Take(const std::string& model, const std::string& id, Needs needs, Time now);
  static void DropOldest(Model& model);
  // Counts `outcome` in the ledger, and lets the promoter see it.
  Outcome Count(const Kept& kept, Outcome outcome);

  models::Registry& registry_;
  evidence::Ledgers& ledgers_;
  Promoter& promoter_;

  mutable Mutex mutex_;
  std::map<std::string, Model> models_ ABSL_GUARDED_BY(mutex_);
  uint64_t numbers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_OUTCOMES_H_
