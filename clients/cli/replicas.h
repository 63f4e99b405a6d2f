// Replicas: the servers that one name stands for, as a headless service of Kubernetes does, and a command for each.
#ifndef TANDEM_CLIENTS_CLI_REPLICAS_H_
#define TANDEM_CLIENTS_CLI_REPLICAS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/cli/connection.h"

namespace tandem::cli {

// Every address that the hosts of `addresses` have, as HOST:PORT with the host in numbers, in order and each once.
// `addresses` is HOST:PORT, or several with commas between them. INVALID_ARGUMENT for what is none, NOT_FOUND for a
// host that is not known.
absl::StatusOr<std::vector<std::string>> ReplicasOf(const std::string& addresses);

// Runs `command` on every replica of options.address, one after the other, each under a line that names it (as JSON: a
// document {"replica": ADDRESS} before its own). One that fails does not keep the others from their turn; what comes
// back names those that failed.
absl::Status RunOnAll(const Options& options, const Command& command);

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_REPLICAS_H_
