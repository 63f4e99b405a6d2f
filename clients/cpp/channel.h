// The channel that a client's calls go over.
#ifndef TANDEM_CLIENTS_CPP_CHANNEL_H_
#define TANDEM_CLIENTS_CPP_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tandem/client/options.h"

namespace tandem::client {

// Checks the options, reads the files of TLS, and connects to nobody yet. INVALID_ARGUMENT names the option that cannot
// be, or the file that cannot be read.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& target, const ClientOptions& options);

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_CHANNEL_H_
