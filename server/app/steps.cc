#include "server/app/steps.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tandem::app {
namespace {

using models::LaneState;
using models::State;
using nlohmann::json;

// Who brings about what nobody asked for.
constexpr char kServer[] = "tandemd";

state::Event Event(const std::string& model, int64_t version, std::string kind, absl::Time when, const json& detail) {
  return {.model = model,
          .version = version,
          .kind = std::move(kind),
          .author = {.who = kServer, .why = "", .when = when},
          // Reasons come from files and need not be UTF-8.
          .detail = detail.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace

void LogStep(const models::VersionStatus& step, const std::string& note) {
  const std::string name = absl::StrCat("model ", step.model, " version ", step.version);
  if (step.state == State::kFailed) {
    spdlog::error("{} failed: {}", name, step.reason);
  } else if (step.state == State::kPublished) {
    spdlog::info("{} published; {}", name, note);
  } else {
    spdlog::debug("{} {}", name, std::string(NameOf(step.state)));
  }
}

void LogStep(const models::LaneStatus& step, const std::string& note) {
  const std::string text = absl::StrCat("model ", step.model, " version ", step.version, ": ", Describe(step.lane),
                                        note.empty() ? "" : "; ", note);
  switch (step.lane.state) {
    case LaneState::kFailed:
      return spdlog::error("{}", text);
    case LaneState::kAbsent:
    case LaneState::kBuilt:
      return spdlog::debug("{}", text);
    default:
      return spdlog::info("{}", text);
  }
}

void CountStep(const models::VersionStatus& step, Time now, metrics::LifeMetrics& metrics) {
  switch (step.state) {
    case State::kLoading:
      return metrics.Loading(step.model, step.version, now);
    case State::kPublished:
      return metrics.Serves(step.model, step.version, now);
    case State::kKept:
      return metrics.Rests(step.model, step.version);
    case State::kFailed:
      return metrics.Failed(step.model, step.version, step.code);
    case State::kUnloaded:
      return metrics.Ends(step.model, step.version);
    case State::kFound:
    case State::kWarming:
    case State::kDraining:
      return;
  }
}

void CountStep(const shadow::Event& event, metrics::LifeMetrics& metrics) {
  if (event.kind == shadow::Event::Kind::kPromoted) metrics.Promoted(event.model);
  if (event.kind == shadow::Event::Kind::kDemoted) metrics.Demoted(event.model);
}

void LogStep(const shadow::Event& event) {
  const std::string what =
      event.baseline_version == 0 ? "int8" : absl::StrCat("beside version ", event.baseline_version);
  spdlog::info("model {} version {}: {} {}: {}", event.model, event.version, what, std::string(NameOf(event.kind)),
               event.why);
}

std::optional<state::Event> EventOf(const models::VersionStatus& step, absl::Time when) {
  switch (step.state) {
    case State::kPublished:
      return Event(step.model, step.version, "published", when, json::object());
    case State::kKept:
      return Event(step.model, step.version, "kept", when, json::object());
    case State::kDraining:
      return Event(step.model, step.version, "retired", when, json::object());
    case State::kFailed:
      return Event(step.model, step.version, "failed", when, {{"reason", step.reason}});
    default:
      return std::nullopt;
  }
}

std::optional<state::Event> EventOf(const models::LaneStatus& step, absl::Time when) {
  if (!IsVerdict(step.lane.state) && step.lane.state != LaneState::kFailed) return std::nullopt;
  return Event(step.model, step.version, "int8", when,
               {{"state", std::string(NameOf(step.lane.state))}, {"reason", step.lane.reason}});
}

state::Event EventOf(const shadow::Event& event, absl::Time when) {
  json detail = {{"reason", event.why}};
  if (event.baseline_version != 0) detail["baseline_version"] = event.baseline_version;
  return Event(event.model, event.version, std::string(NameOf(event.kind)), when, detail);
}

}  // namespace tandem::app
