// Promoter: carries out the route `auto`: has int8 serve once it is proven, and fp32 again when evidence turns against
// it.
//
// Decisions follow from a ledger's standing (NextStep); they take effect in one swap of the registry and are told to
// `on_event`. Thread-safe.
#ifndef TANDEM_SERVER_SHADOW_PROMOTER_H_
#define TANDEM_SERVER_SHADOW_PROMOTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "config/model_config.h"
#include "engine/mutex.h"
#include "server/evidence/ledgers.h"
#include "server/models/int8_lanes.h"
#include "server/models/registry.h"
#include "server/models/version.h"

namespace tandem::shadow {

enum class Step { kNone, kPromote, kDemote };

// What is known of a version besides the evidence.
struct Facts {
  bool routed_by_auto = false;
  bool may_serve = false;  // neither rejected when it was built, nor made for study, nor slower than fp32
};

Step NextStep(const evidence::Standing& standing, const Facts& facts);
Facts FactsOf(const models::Version& version);

struct Event {
  enum class Kind { kPromoted, kDemoted, kProven, kRejected };
  std::string model;
  int64_t version = 0;
  int64_t baseline_version = 0;  // of evidence about a version beside another one; 0: about its int8
  Kind kind = Kind::kProven;
  std::string why;  // in words, with numbers
};
absl::string_view NameOf(Event::Kind kind);

class Promoter {
 public:
  // Both must outlive it. `on_event` is called with a lock held: it must not call the promoter.
  Promoter(models::Registry& registry, evidence::Ledgers& ledgers, std::function<void(const Event&)> on_event)
      : registry_(registry), ledgers_(ledgers), on_event_(std::move(on_event)) {}

  // int8 is about to join a version with a verdict: opens its ledger. Returns what `auto` makes of it: what was proven
  // when it was built serves at once, unless evidence that was kept says otherwise; what is inconclusive gathers.
  models::AutoState Join(const models::LaneStatus& joining, const config::QuantizationConfig& settings);

  // There is new evidence about `version`, as a request saw it. Touches what serves only when something is to change,
  // so that a thread of low priority may call it, and waits for no other caller.
  void Consider(const models::Version& version);

  // There is new evidence about a version beside another one. Nothing follows from it: what serves is its owner's call.
  void TellNews(const evidence::Pair& versions, evidence::Ledger& ledger);

  // By hand: int8 serves from now on, and is watched. NOT_FOUND and UNAVAILABLE as Registry::Find; FAILED_PRECONDITION
  // where there is no int8, where the model has another route than auto, and, unless `force`, without a proof.
  absl::Status Promote(const std::string& model, int64_t version, bool force);
  // By hand: fp32 serves, and the next attempt at a proof begins. FAILED_PRECONDITION where int8 does not serve.
  absl::Status Demote(const std::string& model, int64_t version, const std::string& why);

 private:
  // A version with int8, and the ledger about that int8; null when they do not belong together.
  std::shared_ptr<evidence::Ledger> LedgerOf(const models::Version& version) const;
  // Whether the evidence asks for something that `version` has not come to, or has news.
  bool SomethingIsDue(const models::Version& version, evidence::Ledger& ledger) const;
  // What is due for the version that is published now.
  void TakeStep(const models::Version& seen) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const models::Version& version, const evidence::Standing& standing) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(const models::Version& version, Event::Kind kind, const std::string& why);

  models::Registry& registry_;
  evidence::Ledgers& ledgers_;
  const std::function<void(const Event&)> on_event_;
  Mutex mutex_;  // one change at a time
};

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_PROMOTER_H_
