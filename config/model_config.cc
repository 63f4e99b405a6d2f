#include "config/model_config.h"

#include <limits>

namespace tandem::config {
namespace {

using Table = std::vector<Setting<ModelConfig>>;
using Setter = std::function<absl::Status(ModelConfig&, absl::string_view)>;

constexpr std::initializer_list<absl::string_view> kRouteModes = {"fp32", "int8", "split", "shadow", "auto"};
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

auto Integer(int64_t low, int64_t high) {
  return [low, high](absl::string_view text) { return ParseInteger(text, low, high); };
}

auto Choice(std::initializer_list<absl::string_view> choices) {
  return [list = std::vector<absl::string_view>(choices)](absl::string_view text) -> absl::StatusOr<std::string> {
    for (absl::string_view choice : list) {
      if (choice == text) return std::string(text);
    }
    std::string names;
    for (absl::string_view choice : list) absl::StrAppend(&names, names.empty() ? "" : ", ", choice);
    return absl::InvalidArgumentError(absl::StrCat("expected one of ", names, ", not \"", text, "\""));
  };
}

// A setter of a member of a nested struct.
template <typename Section, typename Member, typename Parser>
Setter SetsIn(Section ModelConfig::*section, Member Section::*member, Parser parse) {
  return [=](ModelConfig& config, absl::string_view text) {
    auto value = parse(text);
    if (!value.ok()) return value.status();
    (config.*section).*member = *std::move(value);
    return absl::OkStatus();
  };
}

absl::Status AppendVersion(ModelConfig& config, absl::string_view text) {
  auto version = ParseInteger(text, 1, kNoLimit);
  if (version.ok()) config.version_policy.versions.push_back(*version);
  return version.status();
}

Table Serving() {
  using C = ModelConfig;
  const auto policy = &C::version_policy;
  return {
      {"max_batch_size", Arity::kOne, "", "", Sets(&C::max_batch_size, Integer(1, 4096))},
      {"max_delay", Arity::kOne, "", "", Sets(&C::max_delay, ParseDuration)},
      {"max_queue_size", Arity::kOne, "", "", Sets(&C::max_queue_size, Integer(1, 1 << 20))},
      {"outcomes.keep", Arity::kOne, "", "", SetsIn(&C::outcomes, &OutcomesConfig::keep, Integer(0, 10'000'000))},
      {"outcomes.max_age", Arity::kOne, "", "", SetsIn(&C::outcomes, &OutcomesConfig::max_age, ParseDuration)},
      {"keep_previous", Arity::kOne, "", "", Sets(&C::keep_previous, Integer(0, 1000))},
      {"version_policy.latest", Arity::kOne, "", "", SetsIn(policy, &VersionPolicy::latest, Integer(1, 1 << 20))},
      {"version_policy.all", Arity::kOne, "", "", SetsIn(policy, &VersionPolicy::all, ParseBool)},
      {"version_policy.versions", Arity::kMany, "", "", AppendVersion,
       [](C& config) { config.version_policy.versions.clear(); }},
  };
}

Table Variants() {
  using C = ModelConfig;
  using Q = QuantizationConfig;
  using R = RouteConfig;
  const auto quantization = &C::quantization;
  const auto route = &C::route;
  const auto confidence = [](absl::string_view text) { return ParseNumber(text, 0.5, 0.999999); };
  const auto decibels = [](absl::string_view text) { return ParseNumber(text, 0, 200); };
  return {
      {"quantization.enabled", Arity::kOne, "", "",
       SetsIn(quantization, &Q::enabled, Choice({"auto", "true", "false"}))},
      {"quantization.method", Arity::kOne, "", "",
       SetsIn(quantization, &Q::method, Choice({"integer", "fixed_point", "binary"}))},
      {"quantization.metric", Arity::kOne, "", "",
       SetsIn(quantization, &Q::metric, Choice({"top1", "agreement", "sqnr"}))},
      {"quantization.max_loss", Arity::kOne, "", "", SetsIn(quantization, &Q::max_loss, ParseFraction)},
      {"quantization.min_db", Arity::kOne, "", "", SetsIn(quantization, &Q::min_db, decibels)},
      {"quantization.confidence", Arity::kOne, "", "", SetsIn(quantization, &Q::confidence, confidence)},
      {"route.mode", Arity::kOne, "", "", SetsIn(route, &R::mode, Choice(kRouteModes))},
      {"route.int8_weight", Arity::kOne, "", "", SetsIn(route, &R::int8_weight, ParseFraction)},
      {"route.shadow_rate", Arity::kOne, "", "", SetsIn(route, &R::shadow_rate, ParseFraction)},
      {"route.candidate_version", Arity::kOne, "", "", SetsIn(route, &R::candidate_version, Integer(1, kNoLimit))},
      {"route.candidate_weight", Arity::kOne, "", "", SetsIn(route, &R::candidate_weight, ParseFraction)},
  };
}

Table TrafficSamples() {
  using C = ModelConfig;
  using T = TrafficSamplesConfig;
  const auto samples = &C::samples_from_traffic;
  const std::string prefix = "quantization.samples_from_traffic.";
  return {
      {prefix + "enabled", Arity::kOne, "", "", SetsIn(samples, &T::enabled, ParseBool)},
      {prefix + "count", Arity::kOne, "", "", SetsIn(samples, &T::count, Integer(1, 100'000))},
      {prefix + "of_requests", Arity::kOne, "", "", SetsIn(samples, &T::of_requests, Integer(1, 1'000'000'000))},
      {prefix + "max_bytes", Arity::kOne, "", "", SetsIn(samples, &T::max_bytes, ParseBytes)},
      {prefix + "max_age", Arity::kOne, "", "", SetsIn(samples, &T::max_age, ParseDuration)},
  };
}

Table AllSettings() {
  Table all = Serving();
  for (const Table& part : {Variants(), TrafficSamples()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

absl::Status CheckShare(absl::string_view key, double share) {
  if (share >= 0 && share <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(key, ": expected a share from 0 to 1, not ", share));
}

}  // namespace

absl::Status Validate(const RouteConfig& route) {
  if (auto mode = Choice(kRouteModes)(route.mode); !mode.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("route.mode: ", mode.status().message()));
  }
  if (absl::Status status = CheckShare("route.int8_weight", route.int8_weight); !status.ok()) return status;
  if (absl::Status status = CheckShare("route.candidate_weight", route.candidate_weight); !status.ok()) return status;
  if (route.candidate_version < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("route.candidate_version: expected the number of a version, not ", route.candidate_version));
  }
  if (route.between_versions() && route.mode != "split" && route.mode != "shadow") {
    return absl::InvalidArgumentError(
        absl::StrCat("route.candidate_version: versions are compared by mode split or shadow, not ", route.mode));
  }
  return CheckShare("route.shadow_rate", route.shadow_rate);
}

absl::StatusOr<ModelConfig> ParseModelConfig(const std::string& text, const std::string& file) {
  ModelConfig config;
  if (absl::Status status = ApplyYaml(AllSettings(), text, file, config); !status.ok()) return status;
  if (config.version_policy.all && !config.version_policy.versions.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": version_policy: all and versions exclude each other"));
  }
  if (config.quantization.min_db.has_value() && config.quantization.metric.value_or("") != "sqnr") {
    return absl::InvalidArgumentError(absl::StrCat(file, ": quantization.min_db: only with metric: sqnr"));
  }
  if (absl::Status status = Validate(config.route); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": ", status.message()));
  }
  return config;
}

}  // namespace tandem::config
