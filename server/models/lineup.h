// Lineup: keeps the versions that serve in line with what is wanted of each model and with what was rolled back.
//
// Thread-safe: the loader brings versions in and takes them out; a rollback may come from any thread and takes effect
// at once, whatever the loader is busy with.
#ifndef TANDEM_SERVER_MODELS_LINEUP_H_
#define TANDEM_SERVER_MODELS_LINEUP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/mutex.h"
#include "server/models/arrange.h"
#include "server/models/registry.h"

namespace tandem::models {

// Versions that were rolled back from, by model.
using Rejections = std::map<std::string, std::set<int64_t>>;

class Lineup {
 public:
  using OnStep = std::function<void(const VersionStatus&, const std::string& note)>;

  // Keeps which versions of a model are rejected, for the next start; an error refuses the change.
  using Keep = std::function<absl::Status(const std::string& model, const std::set<int64_t>& rejected)>;

  // `keep` may be null.
  Lineup(Registry& registry, Keep keep, OnStep on_step)
      : registry_(registry), keep_(std::move(keep)), on_step_(std::move(on_step)) {}

  // What was kept before.
  void Restore(Rejections rejections);

  // The loader says what is wanted from now on. Rejections of versions that have gone are forgotten.
  void Want(const std::string& model, Wishes wishes);
  // The model has gone.
  void Forget(const std::string& model);
  // Hands out a version that is loaded and warm, as far as it is wanted.
  void Add(VersionHandle version, const std::string& note);
  // Publishes and shelves what the wishes say, and has `retire` retract what is to go: before anybody else can change
  // the line-up, so that no rollback brings back a version that is about to end. `retire` must not call the line-up.
  void Settle(const std::string& model, const std::function<void(int64_t)>& retire);

  // OK when `number` may be compared with another version: its files are there, those of another one are, and it was
  // not rolled back from. Else FAILED_PRECONDITION.
  absl::Status CheckCandidate(const std::string& model, int64_t number) const;

  // The newest version older than what serves. FAILED_PRECONDITION when there is none.
  absl::StatusOr<int64_t> Previous(const std::string& model) const;
  // Versions above `to` no longer serve. FAILED_PRECONDITION unless `to` is older than what serves, its files are there
  // and it is no candidate. True: `to` serves now. False: it is to be loaded first, and what served goes on until then.
  absl::StatusOr<bool> Reject(const std::string& model, int64_t to);
  // Undoes that for all versions of `model`. Fails when that cannot be kept.
  absl::Status Pardon(const std::string& model);
  bool IsRejected(const std::string& model, int64_t number) const;

 private:
  // Publishes and shelves; returns what is to go.
  std::vector<int64_t> SettleLocked(const std::string& model) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Status SetRejected(const std::string& model, std::set<int64_t> rejected) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Registry& registry_;
  const Keep keep_;
  const OnStep on_step_;

  mutable Mutex mutex_;
  std::map<std::string, Wishes> wishes_ ABSL_GUARDED_BY(mutex_);
  Rejections rejected_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_LINEUP_H_
