#include "server/settings/log_settings.h"

#include <spdlog/spdlog.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tandem::settings {
namespace {

struct Level {
  const char* name;
  spdlog::level::level_enum level;
};
constexpr Level kLevels[] = {{"debug", spdlog::level::debug},
                             {"info", spdlog::level::info},
                             {"warning", spdlog::level::warn},
                             {"error", spdlog::level::err}};

}  // namespace

std::string LogSettings::level() const {
  // Whatever is between two of them lets through what the higher one does.
  for (const Level& level : kLevels) {
    if (spdlog::get_level() <= level.level) return level.name;
  }
  return "error";
}

absl::Status LogSettings::SetLevel(absl::string_view name) {
  for (const Level& level : kLevels) {
    if (name != level.name) continue;
    spdlog::set_level(level.level);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("log level: expected debug, info, warning or error, got \"",
                                                 absl::CHexEscape(name.substr(0, 120)), "\""));
}

}  // namespace tandem::settings
