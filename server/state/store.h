// StateStore: what a server must not forget, in one SQLite file: STATE_DIR/state.db.
//
// A change that Write has accepted survives the end of the process at any moment and a loss of power. The folder
// belongs to one server at a time; a state that a newer one wrote is not touched. Thread-safe; calls wait for the disk,
// so none belongs on the path of a request.
#ifndef TANDEM_SERVER_STATE_STORE_H_
#define TANDEM_SERVER_STATE_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/mutex.h"
#include "server/state/directory_lock.h"
#include "server/state/records.h"

namespace SQLite {
class Database;
}

namespace tandem::state {

struct StoreOptions {
  // Events kept; older ones go.
  int64_t max_events = 10'000;
};

class StateStore {
 public:
  // Creates what is missing. UNAVAILABLE or RESOURCE_EXHAUSTED when the folder cannot be written;
  // FAILED_PRECONDITION when another process uses it or a newer version wrote it; DATA_LOSS when the file is damaged.
  static absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& folder, StoreOptions options = {});
  // A store that forgets everything at its end, for a server that has no folder it can write; `why` is for messages.
  static std::unique_ptr<StateStore> InMemory(const std::string& why, StoreOptions options = {});
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  // FAILED_PRECONDITION, saying why, when what is written is forgotten at the end of the process.
  absl::Status Durable() const;

  // All of `changes` or, on an error, nothing.
  absl::Status Write(const Changes& changes);

  absl::StatusOr<std::map<std::string, RouteOverride>> Routes() const;  // by model
  // Versions that were rolled back from, by model.
  absl::StatusOr<std::map<std::string, std::set<int64_t>>> Rejected() const;
  absl::StatusOr<std::set<std::string>> Unloaded() const;  // models
  absl::StatusOr<std::optional<std::string>> Blob(const std::string& key) const;
  // Those whose keys begin with `prefix`.
  absl::StatusOr<std::map<std::string, std::string>> Blobs(const std::string& prefix) const;
  // Newest first.
  absl::StatusOr<std::vector<Event>> History(const EventFilter& filter) const;

 private:
  StateStore(std::unique_ptr<DirectoryLock> lock, std::string why_not_durable, std::string file, StoreOptions options);

  absl::Status OpenFile();
  // Calls `body` with the database, and turns what SQLite throws into a Status.
  template <typename Body>
  auto With(Body body) const;

  const std::unique_ptr<DirectoryLock> lock_;
  const std::string why_not_durable_;  // empty: it is
  const std::string file_;
  const StoreOptions options_;

  mutable Mutex mutex_;
  std::unique_ptr<SQLite::Database> database_ ABSL_GUARDED_BY(mutex_) ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace tandem::state

#endif  // TANDEM_SERVER_STATE_STORE_H_
