#include "config/server_config.h"

namespace tandem::config {
namespace {

using Table = std::vector<Setting<ServerConfig>>;

absl::StatusOr<std::string> AnyText(absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("expected a value, not nothing");
  return std::string(text);
}

auto Appends(std::vector<std::string> ServerConfig::*list) {
  return [list](ServerConfig& config, absl::string_view text) {
    auto value = AnyText(text);
    if (value.ok()) (config.*list).push_back(*value);
    return value.status();
  };
}

auto Clears(std::vector<std::string> ServerConfig::*list) {
  return [list](ServerConfig& config) { (config.*list).clear(); };
}

Table Models() {
  using C = ServerConfig;
  return {
      {"model_repository", Arity::kMany, "DIR",
       "Folder of models, laid out as DIR/MODEL/VERSION/model.onnx; may be given several times",
       Appends(&C::model_repositories), Clears(&C::model_repositories)},
      {"poll_interval", Arity::kOne, "DURATION", "How often repositories are looked at; 0: only at start [1s]",
       Sets(&C::poll_interval, ParseDuration)},
      {"strict_readiness", Arity::kSwitch, "", "Be ready only when every model has loaded",
       Sets(&C::strict_readiness, ParseBool)},
      {"model_control", Arity::kSwitch, "",
       "Let clients of the public port load and unload models (not served yet: those calls are unimplemented)",
       Sets(&C::model_control, ParseBool)},
      {"state_dir", Arity::kOne, "DIR",
       "Folder for what the server learns and must remember: int8 artifacts [$XDG_STATE_HOME/tandem or "
       "~/.local/state/tandem]",
       Sets(&C::state_dir, AnyText)},
      {"quantizer", Arity::kOne, "PROGRAM",
       "Program that builds int8 siblings, called as tandem-model quantize [tandem-model beside tandemd]",
       Sets(&C::quantizer, AnyText)},
  };
}

Table Network() {
  using C = ServerConfig;
  return {
      {"grpc_address", Arity::kOne, "HOST:PORT",
       "Where inference, health and reflection are served; port 0: any free [0.0.0.0:8001]",
       Sets(&C::grpc_address, ParseAddress)},
      {"http_address", Arity::kOne, "HOST:PORT", "Where /metrics, /livez and /readyz are served [0.0.0.0:8002]",
       Sets(&C::http_address, ParseAddress)},
      {"admin_address", Arity::kOne, "HOST:PORT",
       "Where the admin service is served (none yet: nothing is bound) [127.0.0.1:8003]",
       Sets(&C::admin_address, ParseAddress)},
      {"ready_file", Arity::kOne, "FILE", "Written with the addresses, as JSON, when the server is ready",
       Sets(&C::ready_file, AnyText)},
      {"max_message_size", Arity::kOne, "BYTES", "Largest request [64MB]",
       Sets(&C::max_message_size,
            [](absl::string_view text) -> absl::StatusOr<int64_t> {
              auto bytes = ParseBytes(text);
              if (bytes.ok() && (*bytes < 1024 || *bytes > INT32_MAX)) {
                return absl::InvalidArgumentError(absl::StrCat("expected 1KB to 2047MB, not \"", text, "\""));
              }
              return bytes;
            })},
  };
}

Table Running() {
  using C = ServerConfig;
  return {
      {"workers", Arity::kOne, "N", "Threads that run models; 0: one for each core the process may use [0]",
       Sets(&C::workers, [](absl::string_view text) { return ParseInteger(text, 0, 1024); })},
      {"memory_limit", Arity::kOne, "BYTES", "Memory that loading may not take the process beyond; 0: its cgroup's [0]",
       Sets(&C::memory_limit, ParseBytes)},
      {"max_queue_bytes", Arity::kOne, "BYTES", "Memory that waiting requests may hold together [512MB]",
       Sets(&C::max_queue_bytes, ParseBytes)},
      {"log_format", Arity::kOne, "FORMAT", "text or json [text]",
       Sets(&C::log_format,
            [](absl::string_view text) {
              return ParseChoice(text, {"text", "json"});
            })},
      {"log_level", Arity::kOne, "LEVEL", "debug, info, warning or error [info]",
       Sets(&C::log_level,
            [](absl::string_view text) {
              return ParseChoice(text, {"debug", "info", "warning", "error"});
            })},
  };
}

Table AllSettings() {
  using C = ServerConfig;
  Table all = {{"models", Arity::kMany, "MODEL.onnx", "Files to serve, each under its base name as version 1",
                Appends(&C::models), Clears(&C::models)}};
  for (const Table& part : {Models(), Network(), Running()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

const Table& ServerSettings() {
  static const Table settings = AllSettings();
  return settings;
}

absl::Status Validate(const ServerConfig& config) {
  if (config.models.empty() && config.model_repositories.empty()) {
    return absl::InvalidArgumentError("nothing to serve: name MODEL.onnx files or a --model-repository");
  }
  return absl::OkStatus();
}

}  // namespace tandem::config
