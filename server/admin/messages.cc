#include "server/admin/messages.h"

#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/routing/candidate.h"
#include "server/routing/choose_variant.h"

namespace tandem::admin {
namespace {

// How far from 1 weights may be that people write in decimals.
constexpr double kWeightTolerance = 1e-6;

v1::Route MessageOf(const config::RouteConfig& route) {
  v1::Route message;
  message.set_mode(route.mode);
  (*message.mutable_weights())["int8"] = route.int8_weight;
  (*message.mutable_weights())["fp32"] = 1 - route.int8_weight;
  message.set_shadow_rate(route.shadow_rate);
  message.set_candidate_version(route.candidate_version);
  if (route.between_versions()) message.set_candidate_weight(route.candidate_weight);
  return message;
}

// Why the candidate of the model's route takes no part; empty: it does.
std::string CandidateProblem(const std::string& model, const models::Registry& registry) {
  const auto primary = registry.Find(model, "");
  if (!primary.ok() || !(*primary)->route.between_versions()) return "";
  return std::string(routing::FindCandidate(registry, **primary).status().message());
}

v1::Author MessageOf(const state::Author& author) {
  v1::Author message;
  message.set_who(author.who);
  message.set_why(author.why);
  const int64_t ms = absl::ToUnixMillis(author.when);
  message.mutable_when()->set_seconds(ms / 1000);
  message.mutable_when()->set_nanos(static_cast<int32_t>(ms % 1000 * 1'000'000));
  return message;
}

v1::Verdict MessageOf(const quantization::Report& report) {
  v1::Verdict message;
  message.set_method(report.method);
  if (report.loss.has_value()) {
    v1::Loss& loss = *message.mutable_loss();
    loss.set_metric(report.loss->metric);
    loss.set_value(report.loss->value);
    loss.set_lower_bound(report.loss->lower);
    loss.set_upper_bound(report.loss->upper);
    loss.set_budget(report.loss->budget);
    loss.set_samples(report.loss->samples);
  }
  message.set_speedup(report.speedup.value_or(0));
  message.set_int8_layers(report.int8_layers);
  message.set_fp32_layers(report.fp32_layers);
  return message;
}

v1::Variant Fp32MessageOf(const models::Version& version) {
  v1::Variant message;
  message.set_name(std::string(NameOf(models::Precision::kFp32)));
  message.set_state(std::string(NameOf(models::State::kPublished)));
  message.set_loaded(true);
  message.set_weight_bytes(static_cast<int64_t>(version.fp32->model->weight_bytes()));
  return message;
}

std::string AnsweringVariant(const models::Version& version) {
  const double weight = routing::Int8Weight(
      version.route, {.loaded = version.int8 != nullptr, .lane = version.lane, .auto_state = version.auto_state});
  if (weight > 0 && weight < 1) return "split";
  return std::string(NameOf(weight > 0 ? models::Precision::kInt8 : models::Precision::kFp32));
}

}  // namespace

v1::RouteState MessageOf(const std::string& model, const routing::RouteState& route, const models::Registry& registry) {
  v1::RouteState message;
  message.set_candidate_problem(CandidateProblem(model, registry));
  *message.mutable_desired() = MessageOf(route.desired);
  *message.mutable_effective() = MessageOf(route.effective());
  if (route.override.has_value()) {
    *message.mutable_override()->mutable_route() = MessageOf(route.override->route);
    *message.mutable_override()->mutable_author() = MessageOf(route.override->author);
  }
  return message;
}

v1::BuildProgress MessageOf(const quantization::Progress& progress) {
  v1::BuildProgress message;
  message.set_stage(progress.stage.empty() ? "queued" : progress.stage);
  message.set_done(progress.done);
  message.set_seconds_left(progress.seconds_left);
  return message;
}

v1::Event MessageOf(const state::Event& event) {
  v1::Event message;
  message.set_id(event.id);
  message.set_model(event.model);
  message.set_version(event.version);
  message.set_kind(event.kind);
  *message.mutable_author() = MessageOf(event.author);
  message.set_detail_json(event.detail);
  return message;
}

v1::Variant Int8MessageOf(const models::Version& version) {
  v1::Variant message;
  message.set_name(std::string(NameOf(models::Precision::kInt8)));
  message.set_state(std::string(NameOf(version.lane.state)));
  message.set_reason(version.lane.reason);
  message.set_loaded(version.int8 != nullptr);
  if (version.int8 != nullptr) message.set_weight_bytes(static_cast<int64_t>(version.int8->model->weight_bytes()));
  if (version.lane.state == models::LaneState::kBuilding) {
    *message.mutable_progress() = MessageOf(version.lane.progress);
  }
  if (version.lane.report != nullptr) *message.mutable_verdict() = MessageOf(*version.lane.report);
  return message;
}

v1::Version MessageOf(const models::VersionStatus& status, const models::Registry& registry) {
  v1::Version message;
  message.set_number(status.version);
  message.set_state(std::string(NameOf(status.state)));
  const auto version = registry.Find(status.model, absl::StrCat(status.version));
  if (!version.ok()) {
    message.set_reason(status.reason);
    return message;
  }
  // It may have been published since it was listed.
  message.set_state(std::string(NameOf(models::State::kPublished)));
  *message.add_variants() = Fp32MessageOf(**version);
  *message.add_variants() = Int8MessageOf(**version);
  message.set_answering_variant(AnsweringVariant(**version));
  message.set_max_batch_size((*version)->max_batch_size);
  return message;
}

std::vector<v1::Model> ModelMessages(const models::Registry& registry, const routing::Routes& routes) {
  std::vector<v1::Model> messages;
  for (const models::VersionStatus& status : registry.List()) {  // by model
    if (messages.empty() || messages.back().name() != status.model) {
      messages.emplace_back().set_name(status.model);
      const auto route = routes.Get(status.model);
      if (route.ok()) *messages.back().mutable_route() = MessageOf(status.model, *route, registry);
      const auto serving = registry.Find(status.model, "");
      if (serving.ok()) messages.back().set_serving_version((*serving)->number);
    }
    v1::Version version = MessageOf(status, registry);
    *messages.back().add_versions() = std::move(version);
  }
  return messages;
}

absl::StatusOr<v1::Model> ModelMessage(const std::string& name, const models::Registry& registry,
                                       const routing::Routes& routes) {
  for (v1::Model& message : ModelMessages(registry, routes)) {
    if (message.name() == name) return std::move(message);
  }
  return registry.Find(name, "").status();
}

absl::StatusOr<config::RouteConfig> RouteOf(const v1::Route& message, const config::RouteConfig& base) {
  config::RouteConfig route = base;
  if (!message.mode().empty()) route.mode = message.mode();
  if (message.has_shadow_rate()) route.shadow_rate = message.shadow_rate();
  route.candidate_version = message.candidate_version();
  if (message.has_candidate_weight()) route.candidate_weight = message.candidate_weight();
  double sum = 0;
  for (const auto& [variant, weight] : message.weights()) {
    if (variant != "fp32" && variant != "int8") {
      return absl::InvalidArgumentError(absl::StrCat("route.weights: there is no variant \"",
                                                     absl::CHexEscape(variant.substr(0, 40)),
                                                     "\"; there are fp32 and int8"));
    }
    if (!(weight >= 0 && weight <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("route.weights: expected a share from 0 to 1 for ", variant, ", not ", weight));
    }
    sum += weight;
    route.int8_weight = variant == "int8" ? weight : 1 - weight;
  }
  if (message.weights().size() == 2 && std::abs(sum - 1) > kWeightTolerance) {
    return absl::InvalidArgumentError(absl::StrCat("route.weights: together they must be 1, not ", sum));
  }
  return route;
}

}  // namespace tandem::admin
