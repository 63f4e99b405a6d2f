// ServerConfig: what the daemon is told, by flags and by --config FILE; flags win.
#ifndef TANDEM_CONFIG_SERVER_CONFIG_H_
#define TANDEM_CONFIG_SERVER_CONFIG_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/settings.h"

namespace tandem::config {

struct ServerConfig {
  // ONNX files served under their base names as version 1.
  std::vector<std::string> models;
  // Folders laid out as MODEL/VERSION/model.onnx.
  std::vector<std::string> model_repositories;
  // Where learned state lives; empty: the user's own folder for state.
  std::string state_dir;
  // The program that builds int8 siblings; empty: tandem-model beside the daemon.
  std::string quantizer;
  // Clients may load and unload models on the public port.
  bool model_control = false;
  // Clients may register shared memory and keep tensors there.
  bool shared_memory = false;

  // Addresses; port 0 picks a free one.
  std::string grpc_address = "0.0.0.0:8001";
  std::string http_address = "0.0.0.0:8002";
  std::string admin_address = "127.0.0.1:8003";
  // PEM files of the two gRPC ports; without a certificate they speak plain text. With client_ca, clients must show a
  // certificate that it has signed.
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::string admin_tls_cert;
  std::string admin_tls_key;
  std::string admin_tls_client_ca;
  // Holds what callers of the admin port must show; empty: nothing.
  std::string admin_token_file;
  // Receives the addresses as JSON when the server is ready; empty: no file.
  std::string ready_file;

  // How often repositories are looked at; 0: only on request.
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(1);
  // How long what is in flight has to end when the server stops; the rest is cancelled.
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(30);
  // Ready only when every model loaded.
  bool strict_readiness = false;

  // Bytes of one request at most.
  int64_t max_message_size = int64_t{64} << 20;
  // After about this long a connection's client is asked to open another one; 0: never.
  std::chrono::nanoseconds max_connection_age{0};
  // Bytes that waiting requests may hold together.
  int64_t max_queue_bytes = int64_t{512} << 20;
  // Threads that run models; 0: one for each core the process may use.
  int64_t workers = 0;
  // Between the end of readiness and that of new calls, for those who follow readiness.
  std::chrono::nanoseconds drain_delay{0};
  // Bytes the process may hold; a load that would pass it is refused. 0: what its control groups allow.
  int64_t memory_limit = 0;

  std::string log_format = "text";  // text or json
  std::string log_level = "info";   // debug, info, warning or error
  bool access_log = false;          // a line for each request
  // Requests that take as long get a line; 0: none.
  std::chrono::nanoseconds slow_request = std::chrono::seconds(1);
};

// Every key of ServerConfig. As a flag a key's underscores are dashes: --grpc-address.
const std::vector<Setting<ServerConfig>>& ServerSettings();

// What no single key can tell: combinations that cannot be served.
absl::Status Validate(const ServerConfig& config);

}  // namespace tandem::config

#endif  // TANDEM_CONFIG_SERVER_CONFIG_H_
