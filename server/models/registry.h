// Registry: every model version known, its state, and handles to those that are published. Thread-safe.
#ifndef TANDEM_SERVER_MODELS_REGISTRY_H_
#define TANDEM_SERVER_MODELS_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/mutex.h"
#include "server/models/state.h"
#include "server/models/version.h"

namespace tandem::models {

struct VersionStatus {
  std::string model;
  int64_t version = 0;
  State state = State::kFound;
  std::string reason;                             // of a failure; of a published version, what int8 is like
  absl::StatusCode code = absl::StatusCode::kOk;  // of a failure, where it is told as a step
};

class Registry {
 public:
  // The published version `version` of `model` ("": the newest, or a candidate when there is no other). NOT_FOUND when
  // there is none, UNAVAILABLE with the state or reason while there may yet be.
  absl::StatusOr<VersionHandle> Find(absl::string_view model, absl::string_view version) const;
  // The published version of this number; null when it is not published.
  VersionHandle Serving(const std::string& model, int64_t version) const;
  // Every published version, by model and number.
  std::vector<VersionHandle> Published() const;
  // Every version that is published or kept, by model and number.
  std::vector<VersionHandle> AllLoaded() const;
  // The numbers published of `model`, ascending.
  std::vector<int64_t> PublishedNumbers(const std::string& model) const;
  // A version that is published or kept; null when it is neither.
  VersionHandle Loaded(const std::string& model, int64_t version) const;
  // The numbers of `model` that are published or kept, ascending.
  std::vector<int64_t> LoadedNumbers(const std::string& model) const;
  // Every version known, unloaded ones included.
  std::vector<VersionStatus> List() const;
  // The state of a version; kUnloaded when it was never seen.
  VersionStatus Get(const std::string& model, int64_t version) const;

  // Records a step in a version's life. Steps that may not follow each other are our own bugs.
  void Enter(const std::string& model, int64_t version, State state, const std::string& reason = "");
  // Enters kPublished and starts handing the version out.
  void Publish(VersionHandle version);
  // Stops handing out a published version and keeps it as it is; Resume hands it out again.
  void Shelve(const std::string& model, int64_t version);
  void Resume(const std::string& model, int64_t version);
  // Has `change` make another Version out of the published or kept one, which takes its place from now on; requests in
  // flight keep theirs. False when the version is neither any more. The lane's steps that may not follow are our own
  // bugs.
  bool Change(const std::string& model, int64_t version, const std::function<void(Version&)>& change);
  // Enters kDraining and lets go of the version, published or kept. It ends with its last request.
  void Retract(const std::string& model, int64_t version);
  // Forgets a version that is unloaded.
  void Remove(const std::string& model, int64_t version);

 private:
  struct Entry {
    State state = State::kUnloaded;
    std::string reason;
    VersionHandle handle;  // while published or kept

    bool serves() const { return state == State::kPublished; }
  };
  using Model = std::map<int64_t, Entry>;
  std::vector<VersionHandle> Handles(bool (*is_wanted)(const Entry&)) const;
  // The numbers of a model's versions that `is_wanted`, ascending.
  std::vector<int64_t> NumbersOf(const std::string& model, bool (*is_wanted)(const Entry&)) const;

  Entry& EnterLocked(const std::string& model, int64_t version, State state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Model> models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_REGISTRY_H_
