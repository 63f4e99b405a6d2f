// Who may call the admin port.
#ifndef TANDEM_SERVER_ADMIN_ADMITTED_H_
#define TANDEM_SERVER_ADMIN_ADMITTED_H_

#include <grpcpp/server_context.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/admin/token.h"

namespace tandem::admin {

// UNAUTHENTICATED unless the call shows the token.
inline absl::Status Admitted(const grpc::ServerContext& call, const Token& token) {
  const auto found = call.client_metadata().find("authorization");
  if (found == call.client_metadata().end()) return token.Check("");
  return token.Check(absl::string_view(found->second.data(), found->second.size()));
}

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_ADMITTED_H_
