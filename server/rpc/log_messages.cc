#include "server/rpc/log_messages.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/rpc/infer_request.h"

namespace tandem::rpc {
namespace {

using Value = inference::LogSettingsRequest::SettingValue;

// Which kinds of lines there are.
struct Kinds {
  bool debug = false;
  bool info = false;
  bool warning = false;
  bool error = true;
};

Kinds KindsOf(absl::string_view level) {
  return {.debug = level == "debug", .info = level == "debug" || level == "info", .warning = level != "error"};
}

absl::Status Wrong(const std::string& name, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("log setting ", Quoted(name), ": expected ", expected));
}

absl::Status ApplyTo(Kinds& kinds, const std::string& name, const Value& value) {
  if (name == "log_verbose_level") {
    if (value.parameter_choice_case() != Value::kUint32Param) return Wrong(name, "a number");
    kinds.debug = value.uint32_param() > 0;
    return absl::OkStatus();
  }
  bool* kind = name == "log_info"      ? &kinds.info
               : name == "log_warning" ? &kinds.warning
               : name == "log_error"   ? &kinds.error
                                       : nullptr;
  if (kind == nullptr) return Wrong(name, "one of log_verbose_level, log_info, log_warning, log_error");
  if (value.parameter_choice_case() != Value::kBoolParam) return Wrong(name, "true or false");
  *kind = value.bool_param();
  return absl::OkStatus();
}

}  // namespace

inference::LogSettingsResponse LogMessageOf(const settings::LogSettings& log) {
  const Kinds kinds = KindsOf(log.level());
  inference::LogSettingsResponse response;
  auto& settings = *response.mutable_settings();
  settings["log_file"].set_string_param("");  // standard error
  settings["log_format"].set_string_param(log.format());
  settings["log_verbose_level"].set_uint32_param(kinds.debug ? 1 : 0);
  settings["log_info"].set_bool_param(kinds.info);
  settings["log_warning"].set_bool_param(kinds.warning);
  settings["log_error"].set_bool_param(kinds.error);
  return response;
}

absl::Status ApplyLogMessage(const inference::LogSettingsRequest& request, settings::LogSettings& log) {
  if (request.settings().empty()) return absl::OkStatus();
  Kinds kinds = KindsOf(log.level());
  for (const auto& [name, value] : request.settings()) TANDEM_RETURN_IF_ERROR(ApplyTo(kinds, name, value));
  if (!kinds.error) return Wrong("log_error", "true: errors are always logged");
  return log.SetLevel(kinds.debug ? "debug" : kinds.info ? "info" : kinds.warning ? "warning" : "error");
}

}  // namespace tandem::rpc
