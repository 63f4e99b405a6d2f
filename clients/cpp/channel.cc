#include "clients/cpp/channel.h"

#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpcpp/create_channel.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>

#include "absl/base/internal/sysinfo.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/service_config.h"

namespace tandem::client {
namespace {

constexpr std::chrono::seconds kShortestKeepalive(10);

absl::Status Check(const std::string& target, const ClientOptions& options) {
  if (target.empty()) return absl::InvalidArgumentError("the target is empty; expected HOST:PORT or a gRPC name");
  if (options.timeout.count() <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("ClientOptions: timeout is ", options.timeout.count(), " ns; it must be positive"));
  }
  if (options.keepalive.count() != 0 && options.keepalive < kShortestKeepalive) {
    return absl::InvalidArgumentError(absl::StrCat("ClientOptions: keepalive is ", options.keepalive.count(),
                                                   " ms; it must be 10 s at least, or 0 for never"));
  }
  // gRPC ends the process that sends what no header may hold.
  const grpc_slice token = grpc_slice_from_static_buffer(options.token.data(), options.token.size());
  if (!grpc_header_nonbin_value_is_legal(token)) {
    return absl::InvalidArgumentError("ClientOptions: the token has characters that no header may hold");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(in), {}};
  if (in.bad() || contents.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read"));
  return contents;
}

grpc::ChannelArguments ArgumentsOf(const ClientOptions& options, const std::string& service_config) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(service_config);
  // The server has the limit. A request that is larger than what gRPC keeps of it would not be tried again.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, std::numeric_limits<int>::max());
  // About as fast as calls are tried again.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  if (options.keepalive.count() != 0) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                     static_cast<int>(std::min<int64_t>(options.keepalive.count(), std::numeric_limits<int>::max())));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  return arguments;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& target, const ClientOptions& options) {
  if (absl::Status status = Check(target, options); !status.ok()) return status;
  const absl::StatusOr<std::string> service_config = ServiceConfig(options.retry);
  if (!service_config.ok()) return service_config.status();
  const auto credentials = CredentialsOf(options.tls);
  if (!credentials.ok()) return credentials.status();
  return OpenChannel(target, *credentials, options.tls.has_value() ? options.tls->server_name : "",
                     ArgumentsOf(options, *service_config));
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const std::optional<TlsFiles>& tls) {
  if (!tls.has_value()) return grpc::InsecureChannelCredentials();
  if (tls->cert.empty() != tls->key.empty()) {
    return absl::InvalidArgumentError("TLS: a certificate and its key go together");
  }
  const absl::StatusOr<std::string> ca = ReadFile(tls->ca), cert = ReadFile(tls->cert), key = ReadFile(tls->key);
  for (const auto* contents : {&ca, &cert, &key}) {
    if (!contents->ok()) return contents->status();
  }
  return grpc::SslCredentials({.pem_root_certs = *ca, .pem_private_key = *key, .pem_cert_chain = *cert});
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& target,
                                           const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                           const std::string& server_name, grpc::ChannelArguments arguments) {
  if (!server_name.empty()) arguments.SetSslTargetNameOverride(server_name);
  // gRPC 1.51 looks at the errno of connect() after calls that may change it. One does where there is no /sys, as in a
  // bare chroot: a lock that is waited for makes Abseil count the processors, once. It shall have counted them by then,
  // or a connection that is under way is taken for one that failed ("No such file or directory").
  absl::base_internal::NumCPUs();
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

}  // namespace tandem::client
