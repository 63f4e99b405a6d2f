// Routes: which route counts for each model: that of its config.yaml, or one that an operator has set over it on this
// server. Overrides are kept in the state store, whether or not the model is loaded.
//
// What is published is changed in one step, and a version that is published later gets the route that counts then.
// Thread-safe; changes wait for the disk.
#ifndef TANDEM_SERVER_ROUTING_ROUTES_H_
#define TANDEM_SERVER_ROUTING_ROUTES_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/model_config.h"
#include "engine/mutex.h"
#include "server/models/registry.h"
#include "server/state/store.h"

namespace tandem::routing {

// The route of a model.
struct RouteState {
  config::RouteConfig desired;  // by config.yaml
  std::optional<state::RouteOverride> override;

  const config::RouteConfig& effective() const { return override.has_value() ? override->route : desired; }
};

class Routes {
 public:
  // Both must outlive this.
  Routes(models::Registry& registry, state::StateStore& store) : registry_(registry), store_(store) {}

  // Takes up the overrides that were kept.
  absl::Status Restore();
  // What config.yaml says now. Brings the published versions of the model to the route that counts, and returns it.
  config::RouteConfig Desire(const std::string& model, const config::RouteConfig& desired);

  // NOT_FOUND when there is no such model.
  absl::StatusOr<RouteState> Get(const std::string& model) const;
  // INVALID_ARGUMENT when it is no route, NOT_FOUND when there is no such model, FAILED_PRECONDITION when this server
  // keeps no state; or why the state could not be written. Nothing has changed then.
  absl::Status Override(const std::string& model, const state::RouteOverride& override);
  // FAILED_PRECONDITION when there is no override.
  absl::Status Clear(const std::string& model, const state::Author& author);

 private:
  absl::StatusOr<RouteState> GetLocked(const std::string& model) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const std::string& model, const config::RouteConfig& route) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  models::Registry& registry_;
  state::StateStore& store_;

  // Held while a change is written and carried out, so that both come in one order.
  mutable Mutex mutex_;
  std::map<std::string, config::RouteConfig> desired_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, state::RouteOverride> overrides_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::routing

#endif  // TANDEM_SERVER_ROUTING_ROUTES_H_
