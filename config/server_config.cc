#include "config/server_config.h"

#include <arpa/inet.h>

#include "absl/strings/str_cat.h"

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
      {"model_control", Arity::kSwitch, "", "Let clients of the public port load and unload models",
       Sets(&C::model_control, ParseBool)},
      {"shared_memory", Arity::kSwitch, "", "Let clients of the public port keep tensors in shared memory",
       Sets(&C::shared_memory, ParseBool)},
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
       "Where the admin service is served; other hosts than this one need a token [127.0.0.1:8003]",
       Sets(&C::admin_address, ParseAddress)},
      {"admin_token_file", Arity::kOne, "FILE",
       "The token that callers of the admin service must show, as \"authorization: Bearer TOKEN\"",
       Sets(&C::admin_token_file, AnyText)},
      {"drain_timeout", Arity::kOne, "DURATION",
       "How long what is in flight has to end after SIGTERM; the rest is cancelled [30s]",
       Sets(&C::drain_timeout, ParseDuration)},
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
      {"max_connection_age", Arity::kOne, "DURATION",
       "Ask clients for a new connection after about this long, as balancing by connections needs; 0: never [0]",
       Sets(&C::max_connection_age, ParseDuration)},
  };
}

Table Tls() {
  using C = ServerConfig;
  return {
      {"tls_cert", Arity::kOne, "FILE", "Certificate of the gRPC port and its chain, PEM; read again when it changes",
       Sets(&C::tls_cert, AnyText)},
      {"tls_key", Arity::kOne, "FILE", "Private key of that certificate", Sets(&C::tls_key, AnyText)},
      {"tls_client_ca", Arity::kOne, "FILE", "Take only clients whose certificate one of these has signed",
       Sets(&C::tls_client_ca, AnyText)},
      {"admin_tls_cert", Arity::kOne, "FILE", "The same for the admin port", Sets(&C::admin_tls_cert, AnyText)},
      {"admin_tls_key", Arity::kOne, "FILE", "The same for the admin port", Sets(&C::admin_tls_key, AnyText)},
      {"admin_tls_client_ca", Arity::kOne, "FILE", "The same for the admin port",
       Sets(&C::admin_tls_client_ca, AnyText)},
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
      {"drain_delay", Arity::kOne, "DURATION",
       "How long calls are still taken after a signal has ended readiness, so that whoever follows it can leave [0]",
       Sets(&C::drain_delay, ParseDuration)},
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
      {"access_log", Arity::kSwitch, "", "Log every request", Sets(&C::access_log, ParseBool)},
      {"slow_request", Arity::kOne, "DURATION",
       "Log requests that take as long, and where their time went; 0: none [1s]",
       Sets(&C::slow_request, ParseDuration)},
  };
}

Table AllSettings() {
  using C = ServerConfig;
  Table all = {{"models", Arity::kMany, "MODEL.onnx", "Files to serve, each under its base name as version 1",
                Appends(&C::models), Clears(&C::models)}};
  for (const Table& part : {Models(), Network(), Tls(), Running()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// A certificate and its key come together, and there are no client certificates without them.
absl::Status CheckTls(absl::string_view prefix, const std::string& cert, const std::string& key,
                      const std::string& client_ca) {
  if (cert.empty() != key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--", prefix, "cert and --", prefix, "key go together"));
  }
  if (client_ca.empty() || !cert.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", prefix, "client-ca needs --", prefix, "cert and --", prefix, "key"));
}

// Only this machine can reach it.
bool IsLoopback(const std::string& address) {
  const std::string host = SplitAddress(address).host;
  in_addr address4;
  return host == "localhost" || host == "::1" ||
         (inet_pton(AF_INET, host.c_str(), &address4) == 1 && ntohl(address4.s_addr) >> 24 == 127);
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
  if (!IsLoopback(config.admin_address) && config.admin_token_file.empty() && config.admin_tls_client_ca.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--admin-address: ", config.admin_address,
                     " can be reached from other hosts: give an --admin-token-file or an --admin-tls-client-ca, or an "
                     "address such as 127.0.0.1:8003"));
  }
  if (absl::Status status = CheckTls("tls-", config.tls_cert, config.tls_key, config.tls_client_ca); !status.ok()) {
    return status;
  }
  return CheckTls("admin-tls-", config.admin_tls_cert, config.admin_tls_key, config.admin_tls_client_ca);
}

}  // namespace tandem::config
