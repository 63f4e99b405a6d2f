// What the admin service says and takes, as messages.
#ifndef TANDEM_SERVER_ADMIN_MESSAGES_H_
#define TANDEM_SERVER_ADMIN_MESSAGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/model_config.h"
#include "proto/tandem/admin/v1/admin.pb.h"
#include "server/models/registry.h"
#include "server/routing/routes.h"
#include "server/state/records.h"

namespace tandem::admin {

// `registry` tells what is wrong with a candidate.
v1::RouteState MessageOf(const std::string& model, const routing::RouteState& route, const models::Registry& registry);
v1::BuildProgress MessageOf(const quantization::Progress& progress);
v1::Event MessageOf(const state::Event& event);
// The int8 variant of `version`, which need not be loaded.
v1::Variant Int8MessageOf(const models::Version& version);
// A version known to `registry`.
v1::Version MessageOf(const models::VersionStatus& status, const models::Registry& registry);

// Every model that the registry knows, by name. Their routes are those of `routes`.
std::vector<v1::Model> ModelMessages(const models::Registry& registry, const routing::Routes& routes);
// NOT_FOUND when there is no such model.
absl::StatusOr<v1::Model> ModelMessage(const std::string& name, const models::Registry& registry,
                                       const routing::Routes& routes);

// `message` over `base`, which counts where the message says nothing. INVALID_ARGUMENT when the weights are none.
absl::StatusOr<config::RouteConfig> RouteOf(const v1::Route& message, const config::RouteConfig& base);

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_MESSAGES_H_
