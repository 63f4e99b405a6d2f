// The channels that calls go over: those of a client, and what every channel of this repository's clients is made by.
#ifndef TANDEM_CLIENTS_CPP_CHANNEL_H_
#define TANDEM_CLIENTS_CPP_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "tandem/client/options.h"

namespace tandem::client {

// Checks the options, reads the files of TLS, and connects to nobody yet. INVALID_ARGUMENT names the option that cannot
// be, or the file that cannot be read.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& target, const ClientOptions& options);

// Reads the files; nothing: plain text. INVALID_ARGUMENT names the file that cannot be read.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const std::optional<TlsFiles>& tls);

// To be used instead of gRPC's own function. `server_name` is what the certificate is for; empty: the target's host.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& target,
                                           const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                           const std::string& server_name, grpc::ChannelArguments arguments = {});

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_CHANNEL_H_
