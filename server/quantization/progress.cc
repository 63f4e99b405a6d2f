#include "server/quantization/progress.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tandem::quantization {
namespace {

using nlohmann::json;

// A longer name of a stage is no name.
constexpr size_t kMaxStage = 40;

double NumberOr(const json& object, const char* key, double otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : otherwise;
}

}  // namespace

std::optional<Progress> ParseProgress(absl::string_view line) {
  const json object = json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto event = object.find("event");
  const auto stage = object.find("stage");
  if (event == object.end() || *event != "progress" || stage == object.end() || !stage->is_string()) {
    return std::nullopt;
  }
  Progress progress{.stage = stage->get<std::string>().substr(0, kMaxStage),
                    .done = std::clamp(NumberOr(object, "done", 0), 0.0, 1.0),
                    .seconds_left = std::max(NumberOr(object, "seconds_left", 0), 0.0)};
  return progress;
}

}  // namespace tandem::quantization
