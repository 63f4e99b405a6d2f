// ServiceConfig: what gRPC is told about going round addresses and trying again, as its JSON has it
// (https://github.com/grpc/proposal/blob/master/A6-client-retries.md). Pure.
#ifndef TANDEM_CLIENTS_CPP_SERVICE_CONFIG_H_
#define TANDEM_CLIENTS_CPP_SERVICE_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "tandem/client/options.h"

namespace tandem::client {

// INVALID_ARGUMENT for a policy that cannot be; names the member.
absl::StatusOr<std::string> ServiceConfig(const RetryPolicy& retry);

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_SERVICE_CONFIG_H_
