// absl::Status as gRPC's: the codes are the same numbers.
#ifndef TANDEM_SERVER_RPC_STATUS_H_
#define TANDEM_SERVER_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace tandem::rpc {

inline grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_STATUS_H_
