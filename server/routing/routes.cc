#include "server/routing/routes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::routing {
namespace {

using nlohmann::json;
using state::Event;

json JsonOf(const config::RouteConfig& route) {
  json value = {{"mode", route.mode}, {"int8_weight", route.int8_weight}, {"shadow_rate", route.shadow_rate}};
  if (route.between_versions()) {
    value["candidate_version"] = route.candidate_version;
    value["candidate_weight"] = route.candidate_weight;
  }
  return value;
}

Event EventOf(const std::string& model, const char* kind, const RouteState& before, const config::RouteConfig& after,
              const state::Author& author) {
  const json detail = {{"from", JsonOf(before.effective())}, {"to", JsonOf(after)}};
  return {.model = model, .kind = kind, .author = author, .detail = detail.dump()};
}

}  // namespace

absl::Status Routes::Restore() {
  TANDEM_ASSIGN_OR_RETURN(auto kept, store_.Routes());
  MutexLock lock(mutex_);
  overrides_ = std::move(kept);
  return absl::OkStatus();
}

config::RouteConfig Routes::Desire(const std::string& model, const config::RouteConfig& desired) {
  MutexLock lock(mutex_);
  desired_[model] = desired;
  const auto found = overrides_.find(model);
  const config::RouteConfig& route = found == overrides_.end() ? desired : found->second.route;
  Apply(model, route);
  return route;
}

absl::StatusOr<RouteState> Routes::Get(const std::string& model) const {
  MutexLock lock(mutex_);
  return GetLocked(model);
}

absl::StatusOr<RouteState> Routes::GetLocked(const std::string& model) const {
  RouteState route;
  const auto desired = desired_.find(model);
  const auto found = overrides_.find(model);
  // A model may have failed before its config.yaml was read, and an override may outlive its model.
  if (desired == desired_.end() && found == overrides_.end()) {
    const absl::Status known = registry_.Find(model, "").status();
    if (absl::IsNotFound(known)) return known;
  }
  if (desired != desired_.end()) route.desired = desired->second;
  if (found != overrides_.end()) route.override = found->second;
  return route;
}

absl::Status Routes::Override(const std::string& model, const state::RouteOverride& override) {
  TANDEM_RETURN_IF_ERROR(config::Validate(override.route));
  MutexLock lock(mutex_);
  TANDEM_ASSIGN_OR_RETURN(const RouteState before, GetLocked(model));
  TANDEM_RETURN_IF_ERROR(store_.Durable());
  const Event event = EventOf(model, "route", before, override.route, override.author);
  TANDEM_RETURN_IF_ERROR(store_.Write({.routes = {{model, override}}, .events = {event}}));
  overrides_[model] = override;
  Apply(model, override.route);
  return absl::OkStatus();
}

absl::Status Routes::Clear(const std::string& model, const state::Author& author) {
  MutexLock lock(mutex_);
  TANDEM_ASSIGN_OR_RETURN(const RouteState before, GetLocked(model));
  if (!before.override.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("model \"", absl::CHexEscape(model), "\" has no route but that of its config.yaml"));
  }
  const Event event = EventOf(model, "clear_route", before, before.desired, author);
  TANDEM_RETURN_IF_ERROR(store_.Write({.routes = {{model, std::nullopt}}, .events = {event}}));
  overrides_.erase(model);
  Apply(model, before.desired);
  return absl::OkStatus();
}

void Routes::Apply(const std::string& model, const config::RouteConfig& route) {
  for (int64_t number : registry_.LoadedNumbers(model)) {
    const models::VersionHandle version = registry_.Loaded(model, number);
    if (version == nullptr || version->route == route) continue;
    registry_.Change(model, number, [&](models::Version& changed) { changed.route = route; });
  }
}

}  // namespace tandem::routing
